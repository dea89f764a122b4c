import { ActionIcon, Menu } from '@mantine/core';
import { useRef, useState } from 'react';
import { CopyDialog } from '../../parts/segments/Copy';
import { RenameDialog } from '../../parts/segments/Rename';
import { useText } from '../../text';
import { DeleteSegments } from './DeleteSegments';
import { segments } from './messages';

/** What can be done with one segment without going to it. */
export function RowMenu({ slug, onGone }: { slug: string; onGone: () => void }) {
  const t = useText(segments);
  const [open, setOpen] = useState<'rename' | 'copy' | 'delete' | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => setOpen(null);
  const begin = (act: typeof open) => {
    // The item is gone by the time that the dialog closes; the button is there to go back to.
    button.current?.focus();
    setOpen(act);
  };
  const gone = () => {
    close();
    onGone();
  };
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon
            ref={button}
            variant="subtle"
            color="gray"
            c="dimmed"
            aria-label={t('actsOf', { slug })}
          >
            <span aria-hidden>{'⋯'}</span>
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => begin('rename')}>{t('rename')}</Menu.Item>
          <Menu.Item onClick={() => begin('copy')}>{t('copy')}</Menu.Item>
          <Menu.Divider />
          <Menu.Item c="var(--mantine-color-error)" onClick={() => begin('delete')}>
            {t('deleteOne')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {open === 'rename' && <RenameDialog slug={slug} onClose={close} onDone={gone} />}
      {open === 'copy' && <CopyDialog slug={slug} onClose={close} />}
      {open === 'delete' && <DeleteSegments slugs={[slug]} onGone={onGone} onClose={close} />}
    </>
  );
}
