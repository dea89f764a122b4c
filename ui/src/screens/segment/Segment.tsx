import type { Tagged, Schemas } from '../../api/client';
import { Button, Group, Skeleton, Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Suspense } from 'react';
import { isProblem } from '../../api/problem';
import { Empty } from '../../parts/Empty';
import { Loaded } from '../../parts/Loaded';
import { Page } from '../../parts/Page';
import { segmentQuery } from '../../parts/queries';
import { SEGMENT_TABS } from '../../searches';
import { lazily } from '../../parts/lazily';
import { useText } from '../../text';
import { useAddress } from './address';
import { History } from './History';
import { KindBadge } from './KindBadge';
import { segment } from './messages';
import { Overview } from './Overview';
import { Settings } from './Settings';

const Members = lazily(() => import('./members/Members'));
const Overlap = lazily(() => import('./overlap/Overlap'));

export default function Segment() {
  const params: { slug?: string } = useParams({ strict: false });
  const slug = params.slug ?? '';
  const query = useQuery(segmentQuery(slug));
  const isMissing = isProblem(query.error, 404);
  const found = isMissing ? undefined : query.data?.value;
  const beside = found && (
    <Group gap="xs">
      <KindBadge kind={found.kind} />
      {found.name !== found.slug && <Text className="breaks">{found.name}</Text>}
    </Group>
  );
  return (
    <Page title={slug} beside={beside} needs="segments.read">
      {isMissing ? (
        <Missing slug={slug} />
      ) : (
        <Loaded query={query} height={400}>
          {(loaded) => <Content key={slug} slug={slug} loaded={loaded} />}
        </Loaded>
      )}
    </Page>
  );
}

function Missing({ slug }: { slug: string }) {
  const t = useText(segment);
  return (
    <Empty title={t('missing', { slug })} about={t('missingAbout')}>
      <Button component={Link} to="/segments" variant="default">
        {t('toList')}
      </Button>
    </Empty>
  );
}

function Content({ slug, loaded }: { slug: string; loaded: Tagged<Schemas['Segment']> }) {
  const t = useText(segment);
  const [search, change] = useAddress();
  const tab = search.tab ?? 'overview';
  const waiting = <Skeleton height={300} />;
  return (
    <Tabs
      value={tab}
      keepMounted={false}
      onChange={(next) => change({ tab: SEGMENT_TABS.find((one) => one === next) })}
    >
      <Tabs.List mb="md">
        {SEGMENT_TABS.map((one) => (
          <Tabs.Tab key={one} value={one}>
            {t(`tab_${one}`)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value="overview">
        <Overview segment={loaded.value} />
      </Tabs.Panel>
      <Tabs.Panel value="members">
        <Suspense fallback={waiting}>
          <Members slug={slug} />
        </Suspense>
      </Tabs.Panel>
      <Tabs.Panel value="history">
        <History slug={slug} />
      </Tabs.Panel>
      <Tabs.Panel value="overlap">
        <Suspense fallback={waiting}>
          <Overlap slug={slug} />
        </Suspense>
      </Tabs.Panel>
      {/* What was typed there stays while somebody looks at another tab. */}
      <Tabs.Panel value="settings" keepMounted>
        <Settings loaded={loaded} />
      </Tabs.Panel>
    </Tabs>
  );
}
