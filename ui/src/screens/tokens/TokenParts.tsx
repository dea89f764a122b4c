import { Badge, Button, Code, Stack, Text } from '@mantine/core';
import { Instant } from '../../parts/Instant';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { tokens } from './messages';
import { stateOf, type Token, type TokenState } from './rights';

const COLORS: Record<TokenState, string> = {
  good: 'teal',
  ending: 'orange',
  expired: 'gray',
  revoked: 'gray',
};

export function TokenBadge({ token, now }: { token: Token; now: number }) {
  const t = useText(tokens);
  const state = stateOf(token, now);
  return (
    <Badge variant="outline" color={COLORS[state]}>
      {t(`state_${state}`)}
    </Badge>
  );
}

export function useScopes(): (token: Pick<Token, 'scopes'>) => string {
  const t = useText(tokens);
  const formats = useFormats();
  return ({ scopes }) => formats.list(scopes.map((scope) => t(`scope_${scope}`)));
}

export function Prefix({ token }: { token: Token }) {
  const t = useText(tokens);
  if (token.segment_prefix === null) return <Text size="sm">{t('allSegments')}</Text>;
  return <Code className="breaks">{`${token.segment_prefix}*`}</Code>;
}

export function Ends({ token }: { token: Token }) {
  const t = useText(tokens);
  const formats = useFormats();
  if (token.expires_at === null) return <Text size="sm">{t('never')}</Text>;
  return (
    <Stack gap={0} title={formats.distance(token.expires_at)}>
      <Instant at={token.expires_at} />
    </Stack>
  );
}

export function Used({ token }: { token: Token }) {
  const t = useText(tokens);
  const formats = useFormats();
  if (token.used_at === null) {
    return (
      <Text size="sm" c="dimmed">
        {t('unused')}
      </Text>
    );
  }
  return (
    <Text size="sm" title={formats.instant(token.used_at)}>
      {formats.distance(token.used_at)}
    </Text>
  );
}

interface TokenActsProps {
  token: Token;
  now: number;
  onReplace: () => void;
  onRevoke: () => void;
}

export function TokenActs({ token, now, onReplace, onRevoke }: TokenActsProps) {
  const t = useText(tokens);
  const { name } = token;
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        aria-label={t('replaceNamed', { name })}
        onClick={onReplace}
      >
        {t('replace')}
      </Button>
      {['good', 'ending'].includes(stateOf(token, now)) && (
        <Button
          size="compact-sm"
          variant="outline"
          color="red.9"
          aria-label={t('revokeNamed', { name })}
          onClick={onRevoke}
        >
          {t('revoke')}
        </Button>
      )}
    </>
  );
}
