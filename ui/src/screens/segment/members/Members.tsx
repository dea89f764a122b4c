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
import { usersFile } from './past';

export default function Members({ slug }: { slug: string }) {
  const t = useText(members);
  const [{ query, as_of, act }, change] = useAddress();
  const filters = { ...(query ? { query } : {}), ...(as_of ? { as_of } : {}) };
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <SettledField
          label={t('search')}
          description={t('searchHint')}
          value={query ?? ''}
          onSettle={(text) => change({ query: text || undefined })}
          spellCheck={false}
          type="search"
          data-search
          w={340}
          maw="100%"
        />
        <Acts slug={slug} asOf={as_of} open={act} onOpen={(next) => change({ act: next })} />
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
  asOf: string | undefined;
  open: Act | undefined;
  onOpen: (act: Act | undefined) => void;
}

function Acts({ slug, asOf, open, onOpen }: ActsProps) {
  const t = useText(members);
  const may = useMay();
  const close = () => onOpen(undefined);
  const mayAdd = asOf === undefined && may('memberships.assign');
  const mayImport = asOf === undefined && may('segments.manage');
  return (
    <Group gap="xs">
      {mayAdd && <Button onClick={() => onOpen('add')}>{t('add')}</Button>}
      {mayImport && (
        <Button variant="default" onClick={() => onOpen('import')}>
          {t('import')}
        </Button>
      )}
      {may('data.export') && <ExportMenu slug={slug} asOf={asOf} />}
      {open === 'add' && mayAdd && <AddMember slug={slug} onClose={close} />}
      {open === 'import' && mayImport && <Import slug={slug} onClose={close} />}
    </Group>
  );
}

const FORMS = ['csv', 'ndjson', 'xlsx'] as const;

function ExportMenu({ slug, asOf }: { slug: string; asOf: string | undefined }) {
  const t = useText(members);
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default">{t('export')}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{asOf === undefined ? t('exportNow') : t('exportPast')}</Menu.Label>
        {FORMS.map((form) => (
          <Menu.Item key={form} onClick={() => download(usersFile(form, slug, asOf))}>
            {form.toUpperCase()}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
