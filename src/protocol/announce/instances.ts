import { LRUCache } from 'lru-cache'

const MOST_AUTHORS = 1024
const REMEMBERED = 4
/** Going back once may be a clock that was set. */
const RETURNS = 2

interface Seen {
  /** The latest last. */
  readonly instances: number[]
  returns: number
}

/** Whether one key is used by two processes that run at the same time: what they say of themselves takes turns. */
export class Instances {
  readonly #seen = new LRUCache<string, Seen>({ max: MOST_AUTHORS })

  /** True where this author goes back and forth; `instance` is what its process drew at its start, 0 if it does not say. */
  areTwo (author: string, instance: number): boolean {
    if (instance === 0) return false
    const seen = this.#seen.get(author) ?? { instances: [], returns: 0 }
    this.#seen.set(author, seen)
    const { instances } = seen
    if (instances.at(-1) === instance) return false
    const before = instances.indexOf(instance)
    if (before >= 0) {
      seen.returns++
      instances.splice(before, 1)
    }
    instances.push(instance)
    if (instances.length > REMEMBERED) instances.shift()
    return before >= 0 && seen.returns >= RETURNS
  }
}
