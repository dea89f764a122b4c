import '@mantine/notifications/styles.css';
import { Notifications } from '@mantine/notifications';

/** What was done, told for a moment in the corner where no dialog has its buttons. */
export default function Notices() {
  return <Notifications position="bottom-left" autoClose={3_500} limit={3} />;
}
