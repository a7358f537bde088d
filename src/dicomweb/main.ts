/** Entry of the process that reads a PACS for a daemon (read-in-child.ts). */
import { messageOf } from '../common/message-of.ts'
import { InputError } from '../errors.ts'
import { readFromPacs } from './open-pacs.ts'
import type { PacsAnswer, PacsQuestion } from './read-in-child.ts'

process.on('disconnect', () => process.exit(0))
process.once('message', ({ address, home, pacsCache }: PacsQuestion) => {
  readFromPacs(address, home, { pacsCache }).then(
    (read) => { answer({ read }) },
    (error: unknown) => { answer({ refused: messageOf(error), isOurs: error instanceof InputError }) }
  )
})

function answer (words: PacsAnswer): void {
  process.send?.(words, undefined, undefined, () => { process.disconnect() })
}
