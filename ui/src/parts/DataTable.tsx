import { Checkbox, Group, Skeleton, Text, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useInfiniteQuery, type InfiniteData, type UseInfiniteQueryResult } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, type ReactNode } from 'react';
import { useText } from '../text';
import { useFormats } from '../text/formats';
import classes from './DataTable.module.css';
import { AsOf } from './Instant';
import { parts } from './messages';
import { ProblemAlert } from './ProblemAlert';

/** A page of a list, as the service gives it. */
export interface PageOf<T> {
  items: T[];
  next_cursor: string | null;
  total?: number | null;
  /** When it came, in milliseconds. */
  at?: number;
}

/** A list of the service, page by page, as far as somebody scrolls. */
export function useList<T>(
  key: readonly unknown[],
  page: (cursor: string | undefined) => Promise<PageOf<T>>,
  isOn = true,
) {
  return useInfiniteQuery({
    queryKey: key,
    queryFn: async ({ pageParam }) => ({ ...(await page(pageParam)), at: Date.now() }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: PageOf<T>) => last.next_cursor ?? undefined,
    enabled: isOn,
    placeholderData: (before) => before,
  });
}

export type List<T> = UseInfiniteQueryResult<InfiniteData<PageOf<T>>>;

/** Asks for a list again and again while something in it goes on. */
export function useFollowed({ refetch }: Pick<List<unknown>, 'refetch'>, isGoing: boolean): void {
  useEffect(() => {
    if (!isGoing) return;
    const timer = setInterval(() => void refetch({ cancelRefetch: false }), 2000);
    return () => clearInterval(timer);
  }, [isGoing, refetch]);
}

export interface Column<T> {
  key: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** As CSS grid wants it: `2fr`, `120px`, `minmax(160px, 2fr)`. */
  width: string;
  /** Its title is only told to screen readers. */
  isTitleHidden?: boolean;
  /** Left out on narrow screens. */
  isWide?: boolean;
  /** Left out also where the menu beside the table leaves it too little. */
  isVeryWide?: boolean;
  isRight?: boolean;
  /** The word of `sort` that orders by it. */
  sort?: string;
}

interface DataTableProps<T> {
  /** What the table is, for screen readers. */
  label: string;
  list: List<T>;
  columns: Column<T>[];
  id: (row: T) => string;
  rowHeight?: number;
  /** `name` or `-name`. */
  sort?: string | undefined;
  onSort?: ((sort: string) => void) | undefined;
  selected?: ReadonlySet<string> | undefined;
  onSelect?: ((selected: Set<string>) => void) | undefined;
  /** What stands there when there is nothing. */
  empty: ReactNode;
  maxHeight?: number | string;
  highlighted?: string | undefined;
}

/** A list of any length: only what is seen is drawn, and the next page comes while one scrolls. */
export function DataTable<T>(props: DataTableProps<T>) {
  const { label, list, id, rowHeight = 44, sort, onSort, selected, onSelect, empty, highlighted } = props;
  const t = useText(parts);
  const formats = useFormats();
  const isNarrow = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false });
  const isMedium = useMediaQuery('(max-width: 68em)', false, { getInitialValueInEffect: false });
  const frame = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const columns = props.columns.filter(
    (column) => !(isNarrow && column.isWide) && !(isMedium && column.isVeryWide),
  );
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  const shown = virtual.getVirtualItems();
  const lastShown = shown.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, isError, fetchNextPage } = list;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isError && lastShown >= rows.length - 40) void fetchNextPage();
  }, [lastShown, rows.length, hasNextPage, isFetchingNextPage, isError, fetchNextPage]);

  // Another list begins at its beginning.
  const isAnother = list.isPlaceholderData;
  useEffect(() => {
    if (isAnother) frame.current?.scrollTo(0, 0);
  }, [isAnother]);

  if (list.isError && rows.length === 0) {
    return <ProblemAlert error={list.error} onRetry={() => void list.refetch()} />;
  }
  if (!list.isPending && rows.length === 0 && !list.isPlaceholderData) return empty;

  const template = {
    gridTemplateColumns: [...(onSelect ? ['28px'] : []), ...columns.map((column) => column.width)].join(' '),
  };
  const total = list.data?.pages[0]?.total ?? (hasNextPage ? undefined : rows.length);
  const all = rows.map(id);
  const areAllSelected = rows.length > 0 && all.every((one) => selected?.has(one));
  const count = (() => {
    const values = { count: total ?? rows.length, shown: formats.number(rows.length) };
    if (total === undefined) return t('rowsSoFar', values);
    return total > rows.length ? t('rowsOf', { ...values, total: formats.number(total) }) : t('rows', values);
  })();
  const toggle = (one: string) => {
    const next = new Set(selected);
    if (!next.delete(one)) next.add(one);
    onSelect?.(next);
  };

  return (
    <div>
      <div
        ref={frame}
        className={classes.frame}
        style={{ maxHeight: props.maxHeight ?? 'calc(100dvh - 250px)' }}
        role="table"
        aria-label={label}
        data-scroll-restoration-id={label}
        // With the row of titles.
        aria-rowcount={total === undefined ? -1 : total + 1}
        aria-busy={list.isFetching}
        // Scrolled by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        <div role="rowgroup">
          <div role="row" aria-rowindex={1} className={`${classes.row} ${classes.head}`} style={template}>
            {onSelect && (
              <div role="columnheader" aria-label={t('selectAll')}>
                <Checkbox
                  size="xs"
                  aria-label={t('selectAll')}
                  checked={areAllSelected}
                  indeterminate={!areAllSelected && (selected?.size ?? 0) > 0}
                  onChange={() => onSelect(areAllSelected ? new Set() : new Set(all))}
                />
              </div>
            )}
            {columns.map((column) => (
              <HeadCell key={column.key} column={column} sort={sort} onSort={onSort} />
            ))}
          </div>
        </div>
        <div
          role="rowgroup"
          className={classes.body}
          style={{ height: list.isPending ? rowHeight * 8 : virtual.getTotalSize(), position: 'relative' }}
        >
          {list.isPending &&
            Array.from({ length: 8 }, (_, place) => (
              <Skeleton key={place} height={rowHeight - 14} m={7} w="calc(100% - 14px)" />
            ))}
          {shown.map(({ index, start, size }) => {
            const row = rows[index];
            if (row === undefined) return null;
            const one = id(row);
            const isSelected = selected?.has(one) ?? false;
            return (
              <div
                key={one}
                role="row"
                aria-rowindex={index + 2}
                aria-selected={onSelect ? isSelected : undefined}
                className={`${classes.row} ${isSelected || highlighted === one ? classes.selected : ''}`}
                style={{ ...template, height: size, transform: `translateY(${start}px)` }}
              >
                {onSelect && (
                  <div role="cell">
                    <Checkbox
                      size="xs"
                      aria-label={t('selectRow', { name: one })}
                      checked={isSelected}
                      onChange={() => toggle(one)}
                    />
                  </div>
                )}
                {columns.map((column) => (
                  <div
                    key={column.key}
                    role="cell"
                    className={`${classes.cell} ${column.isRight ? classes.right : ''}`}
                  >
                    {column.cell(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      <Group className={classes.foot} gap="sm" justify="space-between">
        <Text size="xs" c="dimmed">
          <span role="status">{list.isPending ? t('loading') : count}</span>{' '}
          <AsOf at={list.data?.pages[0]?.at} />
        </Text>
        {isFetchingNextPage && (
          <Text size="xs" c="dimmed">
            {t('loadingMore')}
          </Text>
        )}
      </Group>
      {list.isError && (
        <ProblemAlert
          error={list.error}
          onRetry={() => void (list.isFetchNextPageError ? fetchNextPage() : list.refetch())}
        />
      )}
    </div>
  );
}

interface HeadCellProps<T> {
  column: Column<T>;
  sort: string | undefined;
  onSort: ((sort: string) => void) | undefined;
}

function HeadCell<T>({ column, sort, onSort }: HeadCellProps<T>) {
  const t = useText(parts);
  const word = column.sort;
  const direction =
    word && sort === word ? 'ascending' : word && sort === `-${word}` ? 'descending' : undefined;
  const className = `${classes.headCell} ${column.isRight ? classes.right : ''}`;
  if (!word || !onSort) {
    return (
      <div role="columnheader" className={className}>
        {column.isTitleHidden ? <VisuallyHidden>{column.title}</VisuallyHidden> : column.title}
      </div>
    );
  }
  const mark = { ascending: '↑', descending: '↓' };
  const said = direction && t(direction === 'ascending' ? 'sortedUp' : 'sortedDown');
  return (
    <div role="columnheader" className={className} aria-sort={direction ?? 'none'}>
      <button
        type="button"
        className={classes.sort}
        data-active={direction}
        title={said}
        onClick={() => onSort(direction === 'ascending' ? `-${word}` : word)}
      >
        {column.title} {direction && <span aria-hidden>{mark[direction]}</span>}
      </button>
    </div>
  );
}
