import '@mantine/notifications/styles.css';
import { Notifications } from '@mantine/notifications';

/** What was done, told for a moment in the corner. */
export default function Notices() {
  return <Notifications position="bottom-right" />;
}
