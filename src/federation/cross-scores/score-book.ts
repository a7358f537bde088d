import { parseJson } from '../../common/parse-json.ts'
import { CorruptFileError, ProtocolError } from '../../errors.ts'
import { readChecked, writeCheckedJson } from '../../home/checksum.ts'
import type { SitePaths } from '../../home/paths.ts'
import type { ScoresPort } from '../../protocol/membership/index.ts'
import type { Federation } from '../document.ts'
import { appendPending, readPending, takePending } from '../membership/pending.ts'
import { canonicalBytes, parseBytes } from '../signed.ts'
import { KnownScores } from './known-scores.ts'
import type { ScoreRow } from './score-row.ts'

type Paths = Pick<SitePaths, 'scores' | 'newScores'>

/** The rows of scores that a site knows, on disk before they are told on; what the command leaves is taken in by the daemon. */
export class ScoreBook implements ScoresPort {
  readonly #paths: Paths
  readonly #known: KnownScores
  #lock: Promise<unknown> = Promise.resolve()
  /** There are rows that were not known before. */
  onNews: (rows: readonly Uint8Array[]) => void = () => {}
  /** Of this site itself, about to be told. */
  onOwn: (rows: readonly ScoreRow[]) => void = () => {}

  private constructor (paths: Paths, known: KnownScores) {
    this.#paths = paths
    this.#known = known
  }

  /** Rows that cannot be read are left out: others tell them again. */
  static async open (paths: Paths, federation: () => Federation): Promise<ScoreBook> {
    const known = new KnownScores(federation)
    for (const each of await readRows(paths.scores)) await known.learn([each]).catch(ignoreForged)
    return new ScoreBook(paths, known)
  }

  /** As the home has them, also those that wait for the daemon. */
  static async read (paths: Paths, federation: Federation): Promise<readonly ScoreRow[]> {
    const book = await ScoreBook.open(paths, () => federation)
    for (const each of await readPending(paths.newScores)) await book.#known.learn([each]).catch(ignoreForged)
    return book.#known.all
  }

  get digest (): Uint8Array {
    return this.#known.digest
  }

  rows (): Uint8Array[] {
    return this.#known.all.map(canonicalBytes)
  }

  async learn (rows: readonly Uint8Array[]): Promise<Uint8Array[]> {
    return rows.length === 0 ? [] : (await this.#take(rows.map(parseBytes))).map(canonicalBytes)
  }

  /** Takes in what the command has left, and tells it on. */
  async tend (): Promise<void> {
    const waiting = await readPending(this.#paths.newScores)
    if (waiting.length === 0) return
    // On disk before it waits no more; what came meanwhile is taken with it.
    const news = [...await this.#take(waiting), ...await this.#take(await takePending(this.#paths.newScores))]
    if (news.length === 0) return
    this.onOwn(news)
    this.onNews(news.map(canonicalBytes))
  }

  async #take (values: readonly unknown[]): Promise<ScoreRow[]> {
    const turn = this.#lock.then(async () => {
      const news = await this.#known.learn(values)
      if (news.length > 0) await writeCheckedJson(this.#paths.scores, this.#known.all)
      return news
    })
    this.#lock = turn.catch(() => { /* told to its caller */ })
    return await turn
  }
}

/** Leaves a row of this site for its daemon, or for its next start. */
export async function leaveRow ({ newScores }: Paths, row: ScoreRow): Promise<void> {
  await appendPending(newScores, row)
}

async function readRows (path: string): Promise<unknown[]> {
  const text = await readChecked(path).catch((error: unknown) => {
    if (error instanceof CorruptFileError) return undefined
    throw error
  })
  const values: unknown = parseJson(text ?? '[]')
  return Array.isArray(values) ? values as unknown[] : []
}

function ignoreForged (error: unknown): void {
  if (!(error instanceof ProtocolError)) throw error
}
