import { Button, Code } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Empty } from '../parts/Empty';
import { Page } from '../parts/Page';
import { ProblemAlert } from '../parts/ProblemAlert';
import { useText } from '../text';
import { shell } from './messages';

export function NotFound() {
  const t = useText(shell);
  return (
    <Page title={t('notFound')}>
      <Empty title={t('notFoundAbout')}>
        <Button component={Link} to="/" variant="default">
          {t('toHome')}
        </Button>
      </Empty>
    </Page>
  );
}

/** A fault of the console's own in one screen; the others go on. */
export function Failed({ error }: { error: unknown }) {
  const t = useText(shell);
  return (
    <Page title={t('failed')}>
      <ProblemAlert error={error} onRetry={() => globalThis.location.reload()} />
      {error instanceof Error && error.stack && import.meta.env.DEV && <Code block>{error.stack}</Code>}
    </Page>
  );
}
