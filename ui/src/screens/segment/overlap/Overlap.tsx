import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api, ok } from '../../../api/client';
import { Empty } from '../../../parts/Empty';
import { AsOf } from '../../../parts/Instant';
import { Loaded } from '../../../parts/Loaded';
import { Panel } from '../../../parts/Panel';
import { SegmentsSelect } from '../../../parts/SegmentSelect';
import { useText } from '../../../text';
import { useAddress } from '../address';
import { Expression } from './Expression';
import { Intersections } from './Intersections';
import { Jaccard } from './Jaccard';
import { overlap } from './messages';
import { comparedOf, othersOf, SEGMENTS_MAX } from './sets';
import { Similar } from './Similar';

export default function Overlap({ slug }: { slug: string }) {
  const t = useText(overlap);
  const [search, change] = useAddress();
  const slugs = comparedOf(slug, search.with);
  const [expr, setExpr] = useState(slug);
  const field = useRef<HTMLInputElement>(null);
  const choose = (chosen: string[]) => change({ with: othersOf(slug, chosen) });
  const query = useQuery({
    queryKey: ['segments', 'overlap', slugs],
    queryFn: () => ok(api.POST('/api/v1/segments/overlap', { body: { slugs } })),
    enabled: slugs.length > 1,
    placeholderData: (before) => before,
  });
  const pick = (expression: string) => {
    setExpr(expression);
    field.current?.focus();
  };
  return (
    <Stack>
      <Panel title={t('choose')} actions={<AsOf at={query.dataUpdatedAt} />}>
        <SegmentsSelect
          label={t('chooseLabel', { max: SEGMENTS_MAX, slug })}
          value={slugs}
          max={SEGMENTS_MAX}
          onChange={choose}
        />
      </Panel>
      {slugs.length < 2 ? (
        <Empty title={t('chooseMore')} about={t('chooseMoreAbout')} />
      ) : (
        <Loaded query={query} height={420}>
          {(value) => <Intersections value={value} onPick={pick} />}
        </Loaded>
      )}
      <Expression value={expr} onChange={setExpr} field={field} />
      {slugs.length > 1 && query.data && <Jaccard value={query.data} />}
      <Similar slug={slug} compared={slugs} onCompare={(other) => choose([...slugs, other])} />
    </Stack>
  );
}
