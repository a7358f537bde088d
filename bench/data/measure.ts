import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Taken } from './exit-worker.ts'
import { makeInput, type Input } from './inputs.ts'

const HERE = import.meta.dirname
const CONSILIUM = join(HERE, '../../src/cli/index.js')

type Task = 'check' | 'train' | 'predict' | 'evaluate'

const NEEDS_HOME: readonly Task[] = ['predict', 'evaluate']

interface Case { readonly name: string, readonly input: Input, readonly tasks: readonly Task[] }

const [SIDE, COLOUR] = [8192, 3] as const
const VOLUME = [512, 512, 600] as const

export const CASES: readonly Case[] = [
  { name: '1000 PNG pairs of 256²', input: { seed: 1, count: 1000, side: 256, ending: 'png', channels: 1 }, tasks: ['check', 'train'] },
  { name: 'ten volumes of 256×256×60', input: { seed: 2, count: 10, dims: [256, 256, 60] }, tasks: ['check', 'train'] },
  {
    name: 'one PNG of 8192², RGB',
    input: { seed: 3, count: 1, side: SIDE, ending: 'png', channels: COLOUR },
    tasks: ['check', 'predict']
  },
  {
    name: 'four PNGs of 8192², RGB',
    input: { seed: 4, count: 4, side: SIDE, ending: 'png', channels: COLOUR },
    tasks: ['check', 'train']
  },
  { name: 'one TIFF of 8192², RGB, LZW', input: { seed: 3, count: 1, side: SIDE, ending: 'tif', channels: COLOUR }, tasks: ['check'] },
  { name: 'one volume of 512×512×600', input: { seed: 5, count: 1, dims: VOLUME }, tasks: ['check', 'train', 'predict'] },
  { name: 'two volumes of 512×512×600', input: { seed: 6, count: 2, dims: VOLUME }, tasks: ['check', 'train'] },
  // Minutes: the distances between surfaces that a model without training draws.
  { name: 'one volume of 512×512×600, scored', input: { seed: 5, count: 1, dims: VOLUME }, tasks: ['evaluate'] }
]

export interface Row extends Taken {
  readonly name: string
  readonly task: string
  /** seconds of the processor, in times of the reference's */
  readonly times?: number
}

/** One case, in processes of their own; `against` is the folder of another build, whose `data check` is measured too. */
export async function measure ({ name, input, tasks }: Case, folder: string, against: string | undefined): Promise<Row[]> {
  await makeInput(folder, input)
  const plain = await taken([join(HERE, 'plain-worker.js'), folder])
  const rows: Row[] = [{ name, task: 'decoded by the libraries alone', ...plain }]
  const home = join(folder, 'home')
  if (tasks.some((task) => NEEDS_HOME.includes(task))) {
    await taken([CONSILIUM, 'federation', 'create', '--home', home, '--name', 'bench', '--rounds', '1'])
  }
  // One picture is too little to train on, and data check says so.
  const code = input.count === 1 && 'side' in input ? 1 : 0
  for (const task of tasks) {
    const found = await taken(await lineOf(task, folder, home), task === 'check' ? code : 0)
    rows.push({ name, task, ...found, ...task === 'check' ? { times: found.cpu / plain.cpu } : {} })
  }
  if (against != null) {
    const found = await taken([await commandIn(against), ...checkOf(folder)], code).catch(() => ({ peak: NaN, cpu: NaN }))
    rows.push({ name, task: 'check by the other build', ...found, times: found.cpu / plain.cpu })
  }
  return rows
}

function checkOf (folder: string): string[] {
  return ['data', 'check', folder, '--sheet', join(folder, 'sheet.png')]
}

async function lineOf (task: Task, folder: string, home: string): Promise<string[]> {
  if (task === 'check') return [CONSILIUM, ...checkOf(folder)]
  if (task === 'train') return [join(HERE, 'trainer-worker.js'), folder]
  if (task === 'evaluate') return [CONSILIUM, 'evaluate', '--home', home, '--data', folder, '--split', 'all', '--threads', '1']
  const [image] = await readdir(join(folder, 'images'))
  const volume = image!.endsWith('.gz')
  const out = join(folder, volume ? 'out.nii.gz' : 'out.png')
  return [CONSILIUM, 'predict', '--home', home, '--image', join(folder, 'images', image!), '--out', out, '--threads', '1']
}

/** The command of a checkout that was built, wherever it kept it. */
async function commandIn (root: string): Promise<string> {
  const { bin } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { bin: { consilium: string } }
  return join(root, bin.consilium)
}

/** What a program took. @throws Error when it ended otherwise than with this code */
async function taken (args: readonly string[], wanted = 0): Promise<Taken> {
  const child = spawn(process.execPath, ['--import', pathToFileURL(join(HERE, 'exit-worker.js')).href, ...args], {
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => { said += chunk.toString() })
  const [code] = await once(child, 'close') as [number | null]
  const last = said.trim().split('\n').at(-1) ?? ''
  if (code !== wanted || !last.startsWith('{"peak"')) throw new Error(`it ended with ${code}: ${said.slice(-500)}`)
  return JSON.parse(last) as Taken
}
