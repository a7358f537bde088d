import { CorruptFileError } from '../errors.ts'
import { Chain } from './chain.ts'
import { GENESIS, parseLine, sha256 } from './entry.ts'
import { readSegment, segmentName, unpackedIn } from './segments.ts'

/**
 * What is wrong with the files that nothing is added to any more: a packed one carries a checksum, another is followed line by line, and
 * each must continue the one before. Returns the hash of the last line where nothing is.
 */
export async function checkClosed (
  folder: string,
  segments: readonly number[]
): Promise<{ readonly hash: string } | { readonly damaged: string }> {
  const unpacked = new Set(await unpackedIn(folder))
  let hash = GENESIS
  for (const index of segments) {
    const checked = await checkOne(folder, index, hash, unpacked.has(index))
    if ('damaged' in checked) return { damaged: `${segmentName(index)}: ${checked.damaged}` }
    hash = checked.hash
  }
  return { hash }
}

async function checkOne (folder: string, index: number, prev: string, whole: boolean): ReturnType<typeof checkClosed> {
  const { lines, torn } = await readSegment(folder, index).catch((error: unknown) => {
    if (error instanceof CorruptFileError) return { lines: [], torn: 0 }
    throw error
  })
  const [first, last] = [lines[0], lines.at(-1)]
  const begin = first == null ? undefined : parseLine(first)
  if (begin == null || last == null || torn > 0) return { damaged: 'it was changed or cut' }
  if (begin.prev !== prev) return { damaged: 'it does not continue the file before' }
  if (whole) {
    const chain = new Chain({ count: begin.seq - 1, hash: prev })
    for (const line of lines) {
      const entry = chain.accept(line)
      if ('wrong' in entry) return { damaged: entry.wrong }
    }
  }
  return { hash: sha256(last) }
}
