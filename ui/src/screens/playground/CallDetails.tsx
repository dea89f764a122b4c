import { Button, CloseButton, Group, Stack, Text, Title } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { curl, type Call } from '../../api/calls';
import { parts } from '../../parts/messages';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { Block } from './Block';
import { playground } from './messages';
import { pretty } from './trying';

/** One call: how to make it by curl, what was sent, what came back. */
export function CallDetails({ call, onClose }: { call: Call | undefined; onClose: () => void }) {
  const t = useText(playground);
  const words = useText(parts);
  return (
    <Stack gap="sm">
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Title order={3} className="breaks">
          {call ? `${call.method} ${call.path}` : t('gone')}
        </Title>
        <CloseButton aria-label={words('close')} onClick={onClose} />
      </Group>
      {call ? <Content call={call} /> : <Text size="sm">{t('goneAbout')}</Text>}
    </Stack>
  );
}

function Content({ call }: { call: Call }) {
  const t = useText(playground);
  const formats = useFormats();
  const said = [
    call.status === null ? t('underWay') : String(call.status),
    ...(call.ms === null ? [] : [t('ms', { ms: formats.number(call.ms) })]),
    ...(call.requestId === null ? [] : [t('requestId', { id: call.requestId })]),
  ];
  return (
    <>
      <Text size="sm" c="dimmed" className="breaks">
        {said.join(' · ')}
      </Text>
      <Curl line={curl(call, globalThis.location.origin)} />
      {call.body !== null && (
        <Block label={t('body')} text={call.body === '@file' ? t('file') : pretty(call.body)} />
      )}
      {call.answer === null ? (
        <Text size="sm" c="dimmed">
          {t('noAnswer')}
        </Text>
      ) : (
        <Block label={t('answer')} text={pretty(call.answer)} />
      )}
    </>
  );
}

function Curl({ line }: { line: string }) {
  const t = useText(playground);
  const words = useText(parts);
  const clipboard = useClipboard();
  return (
    <>
      <Block
        label={t('curl')}
        text={line}
        act={
          <Button size="compact-xs" variant="default" onClick={() => clipboard.copy(line)}>
            {clipboard.copied ? words('copied') : t('copyCurl')}
          </Button>
        }
      />
      <Text size="xs" c="dimmed">
        {t('tokenAbout')}
      </Text>
    </>
  );
}
