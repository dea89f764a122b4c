import { List, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { isProblem } from '../../api/problem';
import { isAbout, MEMBERSHIPS, useChange } from '../../parts/changes';
import { Confirm } from '../../parts/Confirm';
import { AsOf } from '../../parts/Instant';
import { Loaded } from '../../parts/Loaded';
import { useText } from '../../text';
import { useFormats } from '../../text/formats';
import { segments } from './messages';

interface DeleteSegmentsProps {
  slugs: string[];
  /** Told of each that is no more, also when others could not be deleted. */
  onGone: (slug: string) => void;
  onClose: () => void;
}

/** How many names the dialog lists before it only counts. */
const LISTED = 10;

const removed = (slug: string, dry_run: boolean) =>
  ok(api.DELETE('/api/v1/segments/{slug}', { params: { path: { slug }, query: { dry_run } } }));

export function DeleteSegments({ slugs, onGone, onClose }: DeleteSegmentsProps) {
  const t = useText(segments);
  const formats = useFormats();
  const client = useQueryClient();
  // Of several, one that somebody else deleted meanwhile does not keep the others.
  const unlessGone = (error: unknown) => {
    if (slugs.length > 1 && isProblem(error, 404)) return undefined;
    throw error;
  };
  const concerned = useQuery({
    // Under no noun that the deletion changes: what is gone is not asked about again.
    queryKey: ['deletion', slugs],
    staleTime: 0,
    gcTime: 0,
    queryFn: () => Promise.all(slugs.map((slug) => removed(slug, true).catch(unlessGone))),
  });
  const remove = useChange({
    async act() {
      try {
        for (const slug of slugs) {
          await removed(slug, false).catch(unlessGone);
          onGone(slug);
        }
      } catch (error) {
        // Those before it are gone all the same.
        void client.invalidateQueries({ predicate: isAbout(MEMBERSHIPS) });
        throw error;
      }
    },
    changes: MEMBERSHIPS,
    done: () => t('deleted', { count: slugs.length }),
    onDone: onClose,
  });
  const only = slugs.length === 1 ? slugs[0] : undefined;
  return (
    <Confirm
      title={only ? t('deleteTitleOf', { slug: only }) : t('deleteTitle', { count: slugs.length })}
      act={t('delete')}
      word={only ?? t('deleteWord', { count: slugs.length })}
      isDangerous
      isBusy={remove.isPending}
      isImpossible={!concerned.isSuccess}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <Text size="sm">{t('deleteAbout')}</Text>
      <Loaded query={concerned} height={60}>
        {(all) => (
          <>
            <List size="sm">
              {all.slice(0, LISTED).map((one, place) => (
                <List.Item key={slugs[place]}>
                  {slugs[place]}: {formats.number(one?.user_count ?? 0)}
                </List.Item>
              ))}
            </List>
            <Text size="sm" fw={600}>
              {t('deleteAffects', { count: all.reduce((sum, one) => sum + (one?.user_count ?? 0), 0) })}
            </Text>
            <AsOf at={concerned.dataUpdatedAt} />
          </>
        )}
      </Loaded>
    </Confirm>
  );
}
