/** What an act on those who are selected needs. */
export interface SelectedActProps {
  slug: string;
  ids: string[];
  onClose: () => void;
  /** Who is left to do, when it did not work for all. */
  onLeft: (ids: string[]) => void;
}
