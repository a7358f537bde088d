/** Entry of the trainer process: answers the daemon's calls one after the other (messages.ts). */
import { messageOf } from '../../common/message-of.ts'
import { InputError, SchemaError } from '../../errors.ts'
import type {
  CallMessage,
  CallName,
  ShortenMessage,
  TrainerCalls,
  TrainerMessage,
  TrainerSetup,
  TrainWork,
  Work
} from '../../rounds/trainer-messages.ts'
import { openReaderSession } from './reader-session.ts'
import { openTrainerSession, type Session } from './session.ts'

let session: Session | undefined
let queue = Promise.resolve()

/** Calls up to this one are to end soon. */
let shortened = 0

process.on('message', (message: CallMessage | ShortenMessage) => {
  if ('shorten' in message) shortened = message.shorten
  else queue = queue.then(async () => { await answer(message) })
})
// The daemon is gone: nothing that is not saved may outlive it.
process.on('disconnect', () => process.exit(0))
// Ctrl-C in a terminal, and its end, reach the whole process group: the daemon decides when the trainer ends.
process.on('SIGINT', () => {})
process.on('SIGHUP', () => {})

async function answer ({ id, call, request }: CallMessage): Promise<void> {
  try {
    send({ kind: 'reply', id, reply: await run(call, request, () => shortened >= id) })
  } catch (error) {
    send({
      kind: 'fault',
      id,
      fault: { message: messageOf(error), userFault: error instanceof InputError || error instanceof SchemaError }
    })
  }
}

async function run (
  call: CallName,
  request: TrainerCalls[CallName]['request'],
  isEnough: () => boolean
): Promise<TrainerCalls[CallName]['reply']> {
  if (call === 'setup') {
    const setup = request as TrainerSetup
    const open = setup.withoutLabels === true ? openReaderSession : openTrainerSession
    session = await open(setup, (progress) => { send({ kind: 'progress', ...progress }) })
    return session.ready
  }
  if (session == null) throw new Error('the trainer was asked to work before it was set up')
  if (call === 'publish') return await session.publish?.((request as TrainerCalls['publish']['request']).kind) ?? {}
  return call === 'train' ? await session.train(request as TrainWork, isEnough) : await session.score(request as Work)
}

function send (message: TrainerMessage): void {
  // A daemon that was killed hears nothing; 'disconnect' ends this process as soon as it comes to it.
  process.send?.(message, undefined, undefined, () => {})
}
