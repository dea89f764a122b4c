import { api, ok } from '../../api/client';
import { AtomicField } from '../../parts/importing/AtomicField';
import { csv } from '../../parts/importing/file';
import { ImportDialog, type OptionsProps } from '../../parts/importing/ImportDialog';
import { useText } from '../../text';
import { users } from './messages';

interface Options {
  isAtomic: boolean;
}

const FIRST: Options = { isAtomic: false };

/** A file of users and what is known of them. */
export function ImportUsers({ onClose }: { onClose: () => void }) {
  const t = useText(users);
  return (
    <ImportDialog
      title={t('importTitle')}
      hint={t('importAbout')}
      first={FIRST}
      options={Fields}
      send={({ file, options, isDry, signal }) =>
        ok(
          api.POST('/api/v1/users/import', {
            params: {
              query: {
                ...(options.isAtomic ? { atomic: true } : {}),
                ...(isDry ? { dry_run: true } : {}),
              },
            },
            ...csv(file),
            signal,
          }),
        )
      }
      onClose={onClose}
    />
  );
}

function Fields({ value, onChange }: OptionsProps<Options>) {
  return <AtomicField checked={value.isAtomic} onChange={(isAtomic) => onChange({ isAtomic })} />;
}
