import { ImportDialog } from '../../../parts/importing/ImportDialog';
import { useText } from '../../../text';
import { FIRST, queryOf, sendFile } from './importing';
import { ImportOptions } from './ImportOptions';
import { members } from './messages';

/** A file of members of a segment. */
export function Import({ slug, onClose }: { slug: string; onClose: () => void }) {
  const t = useText(members);
  return (
    <ImportDialog
      title={t('importTitle', { slug })}
      hint={t('fileHint')}
      first={FIRST}
      options={ImportOptions}
      isDangerous={({ mode }) => mode !== 'add'}
      send={({ file, options, isDry, signal }) =>
        sendFile(slug, file, { ...queryOf(options), ...(isDry ? { dry_run: true } : {}) }, signal)
      }
      onClose={onClose}
    />
  );
}
