import { parseJson } from '../common/parse-json.ts'
import { CorruptFileError } from '../errors.ts'
import { readChecked } from './checksum.ts'

/** What a site answered when it was last asked, or asked itself. */
interface LastStatus<Status, Peer> {
  /** ISO 8601, UTC. */
  readonly at: string
  readonly status: Status
  readonly peers: readonly Peer[]
}

/** Undefined where the site never ran, or ran software that kept none; damaged it is none, too. */
export async function readLastStatus<Status, Peer> (file: string): Promise<LastStatus<Status, Peer> | undefined> {
  try {
    const value = parseJson(await readChecked(file) ?? '') as Partial<LastStatus<Status, Peer>> | null | undefined
    return typeof value?.at === 'string' && value.status != null && Array.isArray(value.peers)
      ? value as LastStatus<Status, Peer>
      : undefined
  } catch (error) {
    if (error instanceof CorruptFileError) return undefined
    throw error
  }
}
