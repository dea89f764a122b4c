import { useQuery } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { Chart } from '../../parts/Chart';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { useText } from '../../text';
import { heightOf } from './figures';
import { statistics } from './messages';

export function Sources() {
  const t = useText(statistics);
  const query = useQuery({
    queryKey: ['memberships', 'sources'],
    queryFn: () => ok(api.GET('/api/v1/memberships/sources')),
  });
  return (
    <Panel title={t('sources')} actions={<AsOf at={query.data?.as_of} />}>
      <Loaded query={query} height={220}>
        {({ items }) => (
          <Chart
            title={t('sourcesNow')}
            labels={items.map((one) => one.source)}
            labelKind="name"
            labelTitle={t('source')}
            isLying
            height={heightOf(items.length)}
            series={[{ name: t('memberships'), kind: 'bar', values: items.map((one) => one.memberships) }]}
          />
        )}
      </Loaded>
    </Panel>
  );
}
