import { Button, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { AsOf } from '../../parts/Instant';
import { Empty } from '../../parts/Empty';
import { Loaded } from '../../parts/Loaded';
import { Panel } from '../../parts/Panel';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { Bars } from './Bars';
import { lanesOf, type Lane } from './lanes';
import { user } from './messages';
import { timelineQuery } from './queries';
import { TimesTable } from './TimesTable';

/** Memberships as bars over time, or as a table. */
export default function Timeline({ id }: { id: string }) {
  const t = useText(user);
  const formats = useFormats();
  const query = useQuery(timelineQuery(id));
  const at = query.dataUpdatedAt;
  return (
    <Loaded query={query} height={300}>
      {({ rows, memberships, isWhole }) => {
        const lanes = lanesOf(rows, memberships, at);
        if (lanes.length === 0) return <Empty title={t('noTimeline')} about={t('noTimelineAbout')} />;
        return (
          <Stack>
            {!isWhole && (
              <Text size="sm">{t('timelineTruncated', { count: formats.number(rows.length) })}</Text>
            )}
            <Drawing lanes={lanes} at={at} />
          </Stack>
        );
      }}
    </Loaded>
  );
}

function Drawing({ lanes, at }: { lanes: Lane[]; at: number }) {
  const t = useText(user);
  const [isTable, setTable] = useState(false);
  return (
    <Panel
      title={t('timelineTitle')}
      actions={
        <>
          <AsOf at={at} />
          <Button size="compact-sm" variant="default" onClick={() => setTable(!isTable)}>
            {isTable ? t('showBars') : t('showTable')}
          </Button>
        </>
      }
    >
      {isTable ? <TimesTable lanes={lanes} /> : <Bars lanes={lanes} now={at} />}
    </Panel>
  );
}
