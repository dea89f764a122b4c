/** A browser reads no file that is gone, or was saved anew after it was chosen. */
export class UnreadableError extends Error {}

export async function requireReadable(file: Blob): Promise<void> {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch (cause) {
    throw new UnreadableError('unreadable', { cause });
  }
}

/** How a call sends a file of CSV: as it is. */
export const csv = (file: Blob) => ({
  // The document of the API says what it is in text.
  body: file as unknown as string,
  bodySerializer: (body: unknown) => body as Blob,
  headers: { 'Content-Type': 'text/csv' },
});
