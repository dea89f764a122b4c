export default function Segment() {
  return null;
}
