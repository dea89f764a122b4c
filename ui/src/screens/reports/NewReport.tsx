import { Button, Checkbox, Group, Modal, Select, SimpleGrid, Stack } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useChange } from '../../parts/changes';
import { ProblemAlert } from '../../parts/ProblemAlert';
import { useText } from '../../text';
import { ReportFile } from '../../parts/jobs/JobPanels';
import { Fields, type Edit } from './Fields';
import { reports } from './messages';
import { draftOf, FORMATS, isReady, make, REPORTS, TTLS, type Draft, type Search } from './report';

/** Makes a report: its link at once, or else one goes on to the job that writes it. */
export function NewReport({ search, onClose }: { search: Search; onClose: () => void }) {
  const t = useText(reports);
  const navigate = useNavigate();
  const [draft, setDraft] = useState(() => draftOf(search));
  const [ready, setReady] = useState<Schemas['Report'] | null>(null);
  const edit: Edit = (patch) => setDraft((before) => ({ ...before, ...patch }));
  const change = useChange({
    act: () => make(draft),
    changes: ['jobs', 'reports', 'summary', 'audit'],
    done: (made) => ('link' in made ? t('made') : t('begun', { id: made.id })),
    onDone(made) {
      if ('link' in made) setReady(made);
      else void navigate({ to: '/jobs/$jobId', params: { jobId: String(made.id) } as never });
    },
  });
  if (ready) return <Ready report={ready} onAnother={() => setReady(null)} onClose={onClose} />;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('make')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady(draft) && !change.isPending) change.mutate();
        }}
      >
        <Stack>
          <KindSelect draft={draft} edit={edit} />
          <Fields draft={draft} edit={edit} error={change.error} />
          <Form draft={draft} edit={edit} />
          <ProblemAlert error={change.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button type="submit" disabled={!isReady(draft)} loading={change.isPending}>
              {t('create')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

interface ReadyProps {
  report: Schemas['Report'];
  onAnother: () => void;
  onClose: () => void;
}

function Ready({ report, onAnother, onClose }: ReadyProps) {
  const t = useText(reports);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('readyTitle')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <ReportFile report={report} />
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onAnother}>
          {t('another')}
        </Button>
        <Button variant="default" onClick={onClose}>
          {t('close')}
        </Button>
      </Group>
    </Modal>
  );
}

interface PartProps {
  draft: Draft;
  edit: Edit;
}

function KindSelect({ draft, edit }: PartProps) {
  const t = useText(reports);
  const may = useMay();
  const kinds = REPORTS.filter((one) => one !== 'users' || may('persons.read'));
  return (
    <Select
      label={t('reportKind')}
      allowDeselect={false}
      data-autofocus
      data={kinds.map((value) => ({ value, label: t(`kind_${value}`) }))}
      value={draft.report}
      onChange={(next) => edit({ report: kinds.find((one) => one === next) ?? 'history' })}
    />
  );
}

/** How the file is written, and how long it can be fetched. */
function Form({ draft, edit }: PartProps) {
  const t = useText(reports);
  return (
    <>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <Select
          label={t('format')}
          allowDeselect={false}
          data={FORMATS.map((value) => ({ value, label: value.toUpperCase() }))}
          value={draft.format}
          onChange={(next) => edit({ format: FORMATS.find((one) => one === next) ?? 'csv' })}
        />
        <Select
          label={t('ttl')}
          allowDeselect={false}
          data={TTLS.map((value) => ({ value, label: t(`ttl_${value}`) }))}
          value={draft.ttl}
          onChange={(next) => edit({ ttl: TTLS.find((one) => one === next) ?? 'P1D' })}
        />
      </SimpleGrid>
      <Checkbox
        label={t('gzip')}
        checked={draft.gzip}
        onChange={({ currentTarget }) => edit({ gzip: currentTarget.checked })}
      />
    </>
  );
}
