import { InputError, UsageError } from '../errors.ts'
import { roundFile, roundsIn } from './adapter-store.ts'
import { isThere } from './files.ts'
import type { SitePaths } from './paths.ts'

/** Which adapter of a home: the last, that of the best round, or that of one round. */
export type WhichRound = 'best' | 'last' | number

/** @throws UsageError for what names no round */
export function parseRound (text: string): WhichRound {
  if (text === 'best' || text === 'last') return text
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new UsageError(`--round must be best, last or the number of a round, not ${text}`)
}

/** The file of that adapter; the last one need not be there. @throws InputError where another one is not kept */
export async function adapterOfRound (paths: SitePaths, round: WhichRound): Promise<string> {
  if (round === 'last') return paths.adapter
  const file = round === 'best' ? paths.bestAdapter : roundFile(paths.roundAdapters, round)
  if (await isThere(file)) return file
  if (round === 'best') {
    throw new InputError('no best round is known here yet: at least half of the sites must have announced their scores of one round')
  }
  const kept = await roundsIn(paths.roundAdapters)
  const there = kept.length === 0 ? 'none is' : `rounds ${kept.join(', ')} are`
  throw new InputError(`the adapter of round ${round} is not kept here; ${there} (the setting keepRounds says how many)`)
}
