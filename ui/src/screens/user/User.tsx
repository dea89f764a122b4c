import type { Tagged, Schemas } from '../../api/client';
import { Button, Skeleton, Stack, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Suspense } from 'react';
import { useMay } from '../../api/me';
import { isProblem } from '../../api/problem';
import { Empty } from '../../parts/Empty';
import { Loaded } from '../../parts/Loaded';
import { Page } from '../../parts/Page';
import { USER_TABS } from '../../searches';
import { lazily } from '../../parts/lazily';
import { useText } from '../../text';
import { useAddress } from './address';
import { Attributes } from './Attributes';
import { Card } from './Card';
import { History } from './History';
import { Memberships } from './Memberships';
import { user } from './messages';
import { userQuery } from './queries';
import { Rights } from './Rights';

const Timeline = lazily(() => import('./Timeline'));
const Why = lazily(() => import('./Why'));

export default function User() {
  const params: { userId?: string } = useParams({ strict: false });
  const id = params.userId ?? '';
  const may = useMay();
  const [search, change] = useAddress();
  const query = useQuery(userQuery(id));
  const isMissing = isProblem(query.error, 404);
  const found = isMissing ? undefined : query.data;
  return (
    <Page
      title={id}
      needs="segments.read"
      actions={(found ?? isMissing) ? <Rights key={id} id={id} etag={found?.etag} /> : undefined}
    >
      {isMissing ? (
        <Missing id={id} />
      ) : (
        <Loaded query={query} height={400}>
          {(loaded) => <Content key={id} id={id} loaded={loaded} />}
        </Loaded>
      )}
      {search.why && may('segments.read') && (
        <Suspense>
          <Why id={id} slug={search.why} onClose={() => change({ why: undefined })} />
        </Suspense>
      )}
    </Page>
  );
}

function Missing({ id }: { id: string }) {
  const t = useText(user);
  return (
    <Stack>
      <Empty title={t('missing', { id })} about={t('missingAbout')}>
        <Button component={Link} to="/users" variant="default">
          {t('toList')}
        </Button>
      </Empty>
      {/* Of somebody who was deleted it is still there. */}
      <History id={id} />
    </Stack>
  );
}

function Content({ id, loaded }: { id: string; loaded: Tagged<Schemas['User']> }) {
  const t = useText(user);
  const [search, change] = useAddress();
  const tab = search.tab ?? 'segments';
  return (
    <Stack>
      <Card user={loaded.value} />
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) => change({ tab: USER_TABS.find((one) => one === next) })}
      >
        <Tabs.List mb="md">
          {USER_TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`tab_${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="segments">
          <Memberships id={id} />
        </Tabs.Panel>
        <Tabs.Panel value="timeline">
          <Suspense fallback={<Skeleton height={300} />}>
            <Timeline id={id} />
          </Suspense>
        </Tabs.Panel>
        <Tabs.Panel value="history">
          <History id={id} />
        </Tabs.Panel>
        {/* What was typed there stays while somebody looks at another tab. */}
        <Tabs.Panel value="attributes" keepMounted>
          <Attributes loaded={loaded} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}
