import { CorruptFileError, InputError } from '../../../errors.ts'
import { ByteReader } from './reader.ts'
import { construct, knownGlobal, storageOf } from './tensors.ts'

/** Where a collection began on the stack. */
const MARK = Symbol('mark')
const MAX_DEPTH = 100_000
/** A training checkpoint of ViT-H needs a tenth; each may keep a few hundred bytes. */
const MAX_OPERATIONS = 1_000_000

/**
 * A pickle machine that can build numbers, texts, lists, dictionaries and tensors, and nothing else: the subset that torch.save writes.
 * It has no way to import or call code; whatever else a file asks for is an error that names it.
 */
class Machine {
  readonly stack: unknown[] = []
  readonly memo = new Map<number, unknown>()

  constructor (readonly input: ByteReader) {}

  push (value: unknown): void {
    if (this.stack.length >= MAX_DEPTH) throw new CorruptFileError('the pickle is nested more deeply than any file of tensors')
    this.stack.push(value)
  }

  pop (): unknown {
    if (this.stack.length === 0 || this.stack.at(-1) === MARK) throw new CorruptFileError('the pickle takes a value where there is none')
    return this.stack.pop()
  }

  /** What was pushed since the last mark, which goes too. */
  popToMark (): unknown[] {
    const begin = this.stack.lastIndexOf(MARK)
    if (begin < 0) throw new CorruptFileError('the pickle ends a collection that never began')
    const values = this.stack.splice(begin)
    return values.slice(1)
  }

  top (): unknown {
    return this.stack.at(-1)
  }

  remember (index: number): void {
    this.memo.set(index, this.top())
  }

  recall (index: number): void {
    if (!this.memo.has(index)) throw new CorruptFileError(`the pickle recalls the value ${index}, which it never kept`)
    this.push(this.memo.get(index))
  }
}

function setItems (machine: Machine, pairs: readonly unknown[]): void {
  const target = machine.top()
  if (!(target instanceof Map) || pairs.length % 2 !== 0) throw new CorruptFileError('the pickle fills something that is not a dictionary')
  for (let i = 0; i < pairs.length; i += 2) target.set(pairs[i], pairs[i + 1])
}

function append (machine: Machine, values: readonly unknown[]): void {
  const target = machine.top()
  if (!Array.isArray(target) || Object.isFrozen(target)) throw new CorruptFileError('the pickle fills something that is not a list')
  for (const value of values) target.push(value)
}

function tuple (machine: Machine, count: number): void {
  const values = Array.from({ length: count }, () => machine.pop()).reverse()
  machine.push(Object.freeze(values))
}

/** torch.save adds attributes (`_metadata`) to the dictionary of tensors; nothing needs them. */
function build (machine: Machine): void {
  machine.pop()
  if (!(machine.top() instanceof Map)) throw new CorruptFileError('the pickle adds attributes to something that is not a dictionary')
}

function stackGlobal (machine: Machine): void {
  const name = machine.pop()
  const module = machine.pop()
  // The text of lists within lists, each twice, would fill any memory.
  if (typeof name !== 'string' || typeof module !== 'string') throw new CorruptFileError('the pickle asks for something without a name')
  machine.push(knownGlobal(`${module}.${name}`))
}

function reduce (machine: Machine): void {
  const args = machine.pop()
  machine.push(construct(machine.pop(), args))
}

type Operation = (machine: Machine) => void

/** By the operation's character. */
const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['\x80', ({ input }) => { checkProtocol(input.u8()) }],
  ['\x95', ({ input }) => { input.skip(8) }],
  ['(', (machine) => { machine.push(MARK) }],
  ['0', (machine) => { machine.pop() }],
  ['N', (machine) => { machine.push(null) }],
  ['\x88', (machine) => { machine.push(true) }],
  ['\x89', (machine) => { machine.push(false) }],
  ['J', (machine) => { machine.push(machine.input.i32()) }],
  ['K', (machine) => { machine.push(machine.input.u8()) }],
  ['M', (machine) => { machine.push(machine.input.u16()) }],
  ['\x8a', (machine) => { machine.push(machine.input.integer(machine.input.u8())) }],
  ['G', (machine) => { machine.push(machine.input.f64BigEndian()) }],
  ['X', (machine) => { machine.push(machine.input.text(machine.input.u32())) }],
  ['\x8c', (machine) => { machine.push(machine.input.text(machine.input.u8())) }],
  ['}', (machine) => { machine.push(new Map()) }],
  [']', (machine) => { machine.push([]) }],
  [')', (machine) => { machine.push(Object.freeze([])) }],
  ['\x85', (machine) => { tuple(machine, 1) }],
  ['\x86', (machine) => { tuple(machine, 2) }],
  ['\x87', (machine) => { tuple(machine, 3) }],
  ['t', (machine) => { machine.push(Object.freeze(machine.popToMark())) }],
  ['a', (machine) => { const value = machine.pop(); append(machine, [value]) }],
  ['e', (machine) => { append(machine, machine.popToMark()) }],
  ['s', (machine) => { const value = machine.pop(); const key = machine.pop(); setItems(machine, [key, value]) }],
  ['u', (machine) => { setItems(machine, machine.popToMark()) }],
  ['q', (machine) => { machine.remember(machine.input.u8()) }],
  ['r', (machine) => { machine.remember(machine.input.u32()) }],
  ['\x94', (machine) => { machine.remember(machine.memo.size) }],
  ['h', (machine) => { machine.recall(machine.input.u8()) }],
  ['j', (machine) => { machine.recall(machine.input.u32()) }],
  ['c', (machine) => { const module = machine.input.line(); machine.push(knownGlobal(`${module}.${machine.input.line()}`)) }],
  ['\x93', stackGlobal],
  ['R', reduce],
  ['b', build],
  ['Q', (machine) => { machine.push(storageOf(machine.pop())) }]
])

const STOP = '.'

function checkProtocol (version: number): void {
  if (version < 2 || version > 5) {
    throw new InputError(`it is a pickle of version ${version}; 2 to 5 can be read: save it again with a current PyTorch`)
  }
}

/** The value of a pickle. @throws InputError for what only code could make, CorruptFileError for what is no pickle. */
export function readPickle (bytes: Uint8Array): unknown {
  const machine = new Machine(new ByteReader(bytes))
  for (let done = 0; done < MAX_OPERATIONS; done++) {
    const { at } = machine.input
    const code = String.fromCharCode(machine.input.u8())
    if (code === STOP) return machine.pop()
    const operation = OPERATIONS.get(code)
    if (operation == null) {
      throw new InputError(
        `it has the pickle operation 0x${
          code.charCodeAt(0).toString(16)
        } at byte ${at}, which no file of tensors needs: it is refused, get the weights from where they were published`
      )
    }
    operation(machine)
  }
  throw new CorruptFileError(`the pickle has more than ${MAX_OPERATIONS} operations, more than any file of tensors`)
}
