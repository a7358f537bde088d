import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere } from '../home/files.ts'
import { Chain, type ChainPoint } from './chain.ts'
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

/** Reads the head and the last file only (`audit verify` reads them all): where the ledger ended, or why it cannot be continued. */
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
  return follow(head, segment, splitLines(await readFile(join(folder, segmentName(segment)))))
}

function fresh (): Resumed {
  return { segment: 1, position: 0, point: { count: 0, hash: GENESIS }, unattested: 0, tornBytes: 0 }
}

function follow (
  head: Head,
  segment: number,
  { lines, torn }: { lines: readonly Buffer[], torn: number }
): Resumed | { readonly damaged: string } {
  const [first] = lines
  const begin = first == null ? undefined : parseLine(first)
  if (first != null && begin == null) return { damaged: `the first line of ${segmentName(segment)} was changed` }
  // A file that was begun when the crash came continues what the head covers.
  const chain = new Chain(begin == null ? head : { count: begin.seq - 1, hash: begin.prev })
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

function meets (chain: Chain, head: Head): boolean {
  return chain.point.count === head.count && chain.point.hash === head.hash
}
