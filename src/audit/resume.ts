import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere } from '../home/files.ts'
import { Chain, type ChainPoint } from './chain.ts'
import { checkClosed } from './closed.ts'
import { GENESIS, parseLine } from './entry.ts'
import { readLedgerHead, type Head } from './head.ts'
import { HEAD, segmentName, segmentsIn, splitLines } from './segments.ts'

/** Where to go on writing. */
export interface Resumed {
  readonly segment: number
  /** Bytes of whole lines in that file. */
  readonly position: number
  readonly point: ChainPoint
  /** Whole lines after the last signed head. */
  readonly unattested: number
  readonly tornBytes: number
}

interface Owner { readonly peerId: string, readonly federation: string }

/** Reads the head and the files (`audit verify` checks every line of them): where the ledger ended, or why it cannot be continued. */
export async function resume (folder: string, owner: Owner): Promise<Resumed | { readonly damaged: string }> {
  const segments = await segmentsIn(folder)
  const headFile = await readIfThere(join(folder, HEAD))
  if (headFile == null) return segments.length === 0 ? fresh() : { damaged: 'its signed head was missing' }
  const head = await readLedgerHead(headFile)
  if ('wrong' in head) return { damaged: `its signed head did not hold: ${head.wrong}` }
  if (head.peerId !== owner.peerId || head.federation !== owner.federation) return { damaged: 'it was of another site or federation' }
  const segment = segments.at(-1)
  if (segment == null) return head.count === 0 ? fresh() : { damaged: 'its entries were missing' }
  if (segments.length !== segment) return { damaged: 'a file of it was missing' }
  const closed = await checkClosed(folder, segments.slice(0, -1))
  if ('damaged' in closed) return closed
  return follow(head, { segment, prev: closed.hash }, splitLines(await readFile(join(folder, segmentName(segment)))))
}

function fresh (): Resumed {
  return { segment: 1, position: 0, point: { count: 0, hash: GENESIS }, unattested: 0, tornBytes: 0 }
}

function follow (
  head: Head,
  { segment, prev }: { segment: number, prev: string },
  { lines, torn }: { lines: readonly Buffer[], torn: number }
): Resumed | { readonly damaged: string } {
  const chain = chainOf(lines[0], head, { segment, prev })
  if ('damaged' in chain) return chain
  let position = 0
  let attested = meets(chain, head)
  for (const line of lines) {
    const entry = chain.accept(line)
    if ('wrong' in entry) return { damaged: entry.wrong }
    attested ||= meets(chain, head)
    position += line.length + 1
  }
  if (!attested) return { damaged: `entry ${head.count}, the last under the signed head, was missing or changed` }
  const unattested = chain.point.count - head.count
  if (head.closed && (unattested > 0 || torn > 0)) return { damaged: 'something was added after it had been closed' }
  return { segment, position, point: chain.point, unattested, tornBytes: torn }
}

/** The chain before the first line of the last file; one that was begun when the crash came continues what the head covers. */
function chainOf (
  first: Buffer | undefined,
  head: Head,
  { segment, prev }: { segment: number, prev: string }
): Chain | { readonly damaged: string } {
  if (first == null) return head.hash === prev ? new Chain(head) : { damaged: 'its entries were missing' }
  const begin = parseLine(first)
  if (begin == null) return { damaged: `the first line of ${segmentName(segment)} was changed` }
  if (begin.prev !== prev) return { damaged: `${segmentName(segment)} does not continue the file before` }
  return new Chain({ count: begin.seq - 1, hash: begin.prev })
}

function meets (chain: Chain, head: Head): boolean {
  return chain.point.count === head.count && chain.point.hash === head.hash
}
