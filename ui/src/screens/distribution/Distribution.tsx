import { Tabs } from '@mantine/core';
import { Page } from '../../parts/Page';
import { DISTRIBUTION_TABS } from '../../searches';
import { useText } from '../../text';
import { useAddress } from '../../parts/address';
import { Compare } from './Compare';
import { distribution } from './messages';
import { Move } from './Move';
import { Share } from './Share';
import type { Search } from './shares';

export default function Distribution() {
  const t = useText(distribution);
  const [search, change] = useAddress<Search>();
  const tab = search.tab ?? 'share';
  return (
    <Page title={t('title')} about={t('about')} needs="segments.read">
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) => change({ tab: DISTRIBUTION_TABS.find((one) => one === next) })}
      >
        <Tabs.List mb="md">
          {DISTRIBUTION_TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`tab_${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="share">
          <Share />
        </Tabs.Panel>
        <Tabs.Panel value="compare">
          <Compare />
        </Tabs.Panel>
        <Tabs.Panel value="move">
          <Move />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
