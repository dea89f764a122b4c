import { Anchor, Grid, Stack } from '@mantine/core';
import { useStore } from '../../api/store';
import { calls } from '../../api/calls';
import { Page } from '../../parts/Page';
import { Panel } from '../../parts/Panel';
import { useAddress } from '../../parts/address';
import { Empty } from '../../parts/Empty';
import { useText } from '../../text';
import type * as searches from '../../searches';
import { CallDetails } from './CallDetails';
import { CallList } from './CallList';
import { playground } from './messages';
import { Try } from './Try';

type Search = ReturnType<typeof searches.playground>;

/** What the console asks of the API, so that a program can ask it too. */
export default function Playground() {
  const t = useText(playground);
  const all = useStore(calls);
  const [search, change] = useAddress<Search>();
  const picked = search.call;
  return (
    <Page title={t('title')} about={t('about')} actions={<Documents />}>
      <Try />
      <Panel title={t('calls')}>
        {all.length === 0 ? (
          <Empty title={t('empty')} about={t('emptyAbout')} />
        ) : (
          <Grid gap="md">
            <Grid.Col span={{ base: 12, md: picked === undefined ? 12 : 6 }}>
              <CallList calls={all} picked={picked} onPick={(call) => change({ call })} />
            </Grid.Col>
            {picked !== undefined && (
              <Grid.Col span={{ base: 12, md: 6 }}>
                <CallDetails
                  key={picked}
                  call={all.find(({ id }) => id === picked)}
                  onClose={() => change({ call: undefined })}
                />
              </Grid.Col>
            )}
          </Grid>
        )}
      </Panel>
    </Page>
  );
}

/** Not of the console: the service has these by itself. */
function Documents() {
  const t = useText(playground);
  return (
    <Stack gap={2}>
      <Anchor href="/api/docs/" target="_blank" rel="noopener" size="sm">
        {t('swagger')}
      </Anchor>
      <Anchor href="/api/openapi.json" target="_blank" rel="noopener" size="sm">
        {t('openapi')}
      </Anchor>
    </Stack>
  );
}
