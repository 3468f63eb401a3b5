/** Waits until what was sent is in a block. Throws where it was reverted. */
export async function mined(sent: Promise<{ wait(): Promise<unknown> }>): Promise<unknown> {
  return (await sent).wait();
}
