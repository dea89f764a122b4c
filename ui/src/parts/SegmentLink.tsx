import { Anchor } from '@mantine/core';
import { Link } from '@tanstack/react-router';

export function SegmentLink({ slug }: { slug: string }) {
  return (
    <Anchor component={Link} to="/segments/$slug" params={{ slug } as never} size="sm" className="breaks">
      {slug}
    </Anchor>
  );
}

export function UserLink({ id }: { id: string }) {
  return (
    <Anchor
      component={Link}
      to="/users/$userId"
      params={{ userId: id } as never}
      size="sm"
      className="breaks"
    >
      {id}
    </Anchor>
  );
}
