export default function SignInSettings() {
  return null;
}
