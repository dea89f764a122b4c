import { Stack } from '@mantine/core';
import { Page } from '../../parts/Page';
import { useText } from '../../text';
import { Ending } from './Ending';
import { Growth } from './Growth';
import { statistics } from './messages';
import { Overlaps } from './Overlaps';
import { PerSegment } from './PerSegment';
import { Sources } from './Sources';

export default function Statistics() {
  const t = useText(statistics);
  return (
    <Page title={t('title')} about={t('about')} needs="segments.read">
      <Stack>
        <PerSegment />
        <Growth />
        <Sources />
        <div id="ending">
          <Ending />
        </div>
        <Overlaps />
      </Stack>
    </Page>
  );
}
