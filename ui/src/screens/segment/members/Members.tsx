import { Button, Group, Menu, Stack } from '@mantine/core';
import { useMay } from '../../../api/me';
import { download } from '../../../parts/files';
import { useText } from '../../../text';
import { useAddress } from '../address';
import { SettledField } from '../../../parts/SettledField';
import { AddMember } from './AddMember';
import { AsOfBar } from './AsOfBar';
import { Import } from './Import';
import { MembersTable } from './MembersTable';
import { members } from './messages';
import { usersFile, type Filters } from './past';

export default function Members({ slug }: { slug: string }) {
  const t = useText(members);
  const may = useMay();
  const [{ query, as_of, act }, change] = useAddress();
  const filters = { ...(query ? { query } : {}), ...(as_of ? { as_of } : {}) };
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <SettledField
          label={t('search')}
          description={may('persons.read') ? t('searchHint') : t('searchHintById')}
          value={query ?? ''}
          onSettle={(text) => change({ query: text || undefined })}
          spellCheck={false}
          type="search"
          data-search
          w={340}
          maw="100%"
        />
        <Acts slug={slug} filters={filters} open={act} onOpen={(next) => change({ act: next })} />
      </Group>
      <AsOfBar slug={slug} asOf={as_of} onChange={(at) => change({ as_of: at })} />
      {/* Others are shown: what was selected among these is over. */}
      <MembersTable
        key={JSON.stringify(filters)}
        slug={slug}
        filters={filters}
        onClear={() => change({ query: undefined })}
        onAct={(next) => change({ act: next })}
      />
    </Stack>
  );
}

type Act = 'add' | 'import';

interface ActsProps {
  slug: string;
  filters: Filters;
  open: Act | undefined;
  onOpen: (act: Act | undefined) => void;
}

function Acts({ slug, filters, open, onOpen }: ActsProps) {
  const t = useText(members);
  const may = useMay();
  const close = () => onOpen(undefined);
  const isNow = filters.as_of === undefined;
  const mayAdd = isNow && may('memberships.assign');
  const mayImport = isNow && may('segments.manage');
  return (
    <Group gap="xs">
      {mayAdd && <Button onClick={() => onOpen('add')}>{t('add')}</Button>}
      {mayImport && (
        <Button variant="default" onClick={() => onOpen('import')}>
          {t('import')}
        </Button>
      )}
      {may('data.export') && <ExportMenu slug={slug} filters={filters} />}
      {open === 'add' && mayAdd && <AddMember slug={slug} onClose={close} />}
      {open === 'import' && mayImport && <Import slug={slug} onClose={close} />}
    </Group>
  );
}

const FORMS = ['csv', 'ndjson', 'xlsx'] as const;

function ExportMenu({ slug, filters }: { slug: string; filters: Filters }) {
  const t = useText(members);
  const isNow = filters.as_of === undefined;
  const who = filters.query === undefined ? 'all' : 'found';
  const what = t(`export_${who}_${isNow ? 'now' : 'then'}`);
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default">{t('export')}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{what}</Menu.Label>
        {FORMS.map((form) => (
          <Menu.Item key={form} onClick={() => download(usersFile(form, slug, filters))}>
            {form.toUpperCase()}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
