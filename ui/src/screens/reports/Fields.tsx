import { Select, SimpleGrid, Textarea, TextInput } from '@mantine/core';
import { useMay } from '../../api/me';
import { faultOf } from '../../api/problem';
import { SegmentSelect } from '../../parts/SegmentSelect';
import { KINDS } from '../../searches';
import { useText } from '../../text';
import { reports } from './messages';
import type { Draft } from './report';

export type Edit = (patch: Partial<Draft>) => void;

interface FieldsProps {
  draft: Draft;
  edit: Edit;
  error: unknown;
}

/** What each report asks for besides its form. */
export function Fields(props: FieldsProps) {
  switch (props.draft.report) {
    case 'history':
      return <HistoryFields {...props} />;
    case 'members':
      return (
        <>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <SegmentField {...props} />
            <AsOfField {...props} />
          </SimpleGrid>
          <QueryField {...props} />
        </>
      );
    case 'users':
      return <QueryField {...props} />;
    case 'stats':
      return <StatsFields {...props} />;
    case 'algebra':
      return <AlgebraFields {...props} />;
  }
}

function SegmentField({ draft, edit, error }: FieldsProps) {
  const t = useText(reports);
  return (
    <SegmentSelect
      label={t('segment')}
      value={draft.segment || null}
      onChange={(segment) => edit({ segment: segment ?? '' })}
      error={faultOf(error, 'segment')}
    />
  );
}

function AsOfField({ draft, edit, error }: FieldsProps) {
  const t = useText(reports);
  return (
    <TextInput
      type="datetime-local"
      label={t('asOf')}
      description={t('asOfHint')}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      value={draft.asOf}
      onChange={({ currentTarget }) => edit({ asOf: currentTarget.value })}
      error={faultOf(error, 'as_of')}
    />
  );
}

function QueryField({ draft, edit, error }: FieldsProps) {
  const t = useText(reports);
  const may = useMay();
  const isUsers = draft.report !== 'stats';
  const usersHint = may('persons.read') ? t('usersQueryHint') : t('usersQueryHintById');
  return (
    <TextInput
      label={isUsers ? t('usersQuery') : t('statsQuery')}
      description={isUsers ? usersHint : t('statsQueryHint')}
      value={draft.query}
      onChange={({ currentTarget }) => edit({ query: currentTarget.value })}
      error={faultOf(error, 'query')}
    />
  );
}

function HistoryFields(props: FieldsProps) {
  const { draft, edit, error } = props;
  const t = useText(reports);
  const at = (name: 'from' | 'to') => (
    <TextInput
      type="datetime-local"
      label={t(name)}
      title={t('localTime')}
      value={draft[name]}
      onChange={({ currentTarget }) => edit({ [name]: currentTarget.value, month: '' })}
      error={faultOf(error, name)}
    />
  );
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      <SegmentField {...props} />
      <TextInput
        label={t('userId')}
        value={draft.user}
        spellCheck={false}
        onChange={({ currentTarget }) => edit({ user: currentTarget.value })}
        error={faultOf(error, 'user_id')}
      />
      <TextInput
        type="month"
        label={t('month')}
        description={t('monthHint')}
        value={draft.month}
        onChange={({ currentTarget }) => edit({ month: currentTarget.value, from: '', to: '' })}
        error={faultOf(error, 'month')}
      />
      <div />
      {at('from')}
      {at('to')}
    </SimpleGrid>
  );
}

function StatsFields(props: FieldsProps) {
  const { draft, edit } = props;
  const t = useText(reports);
  return (
    <>
      <QueryField {...props} />
      <Select
        label={t('segmentKind')}
        placeholder={t('anyKind')}
        clearable
        data={KINDS.map((value) => ({ value, label: t(`segmentKind_${value}`) }))}
        value={draft.kind}
        onChange={(next) => edit({ kind: KINDS.find((one) => one === next) ?? null })}
      />
    </>
  );
}

function AlgebraFields(props: FieldsProps) {
  const { draft, edit, error } = props;
  const t = useText(reports);
  return (
    <>
      <Textarea
        label={t('expr')}
        description={t('exprHint')}
        autosize
        minRows={2}
        spellCheck={false}
        value={draft.expr}
        onChange={({ currentTarget }) => edit({ expr: currentTarget.value })}
        error={faultOf(error, 'expr')}
      />
      <AsOfField {...props} />
    </>
  );
}
