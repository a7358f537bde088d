import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** How often each word of at least four letters stands in the code of each room, comments and imports left out. */
export type WordCounts = ReadonlyMap<string, ReadonlyMap<string, number>>

/** Times that a word must occur in its room, and of all times that it occurs. */
const LEAST = { times: 2, share: 0.75 }
const MOST_WORDS = 130
const WIDTH = 138
const HEADING = '## Index of words'

/** Counts the words of every room under `src`. */
export async function countWords (src: string): Promise<WordCounts> {
  const counts = new Map<string, Map<string, number>>()
  for (const file of await readdir(src, { recursive: true })) {
    const [room = '', ...rest] = file.split('/')
    if (!file.endsWith('.ts') || file.includes('/pb/') || rest.length === 0) continue
    for (const word of wordsOf(await readFile(join(src, file), 'utf8'))) {
      const rooms = counts.get(word) ?? new Map<string, number>()
      counts.set(word, rooms.set(room, (rooms.get(room) ?? 0) + 1))
    }
  }
  return counts
}

function wordsOf (text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim()).filter((line) => !/^(import|export \{|\*|\/\*|\/\/)/.test(line))
  return lines.flatMap((line) => [...new Set(line.match(/[A-Za-z][A-Za-z0-9]{3,}/g) ?? [])])
}

/** The share of a word's occurrences that lies in one room, 0 to 1. */
export function shareIn (room: string, word: string, counts: WordCounts): number {
  const rooms = counts.get(word) ?? new Map<string, number>()
  const total = [...rooms.values()].reduce((sum, count) => sum + count, 0)
  return total === 0 ? 0 : (rooms.get(room) ?? 0) / total
}

/** The section of ARCHITECTURE.md: for every room the words that stand there and hardly anywhere else. */
function indexSection (counts: WordCounts): string {
  const rooms = [...new Set([...counts.values()].flatMap((each) => [...each.keys()]))].sort()
  const rows = rooms.map((room) => {
    const scored = [...counts].flatMap(([word, each]) => {
      const [times, share] = [each.get(room) ?? 0, shareIn(room, word, counts)]
      return times >= LEAST.times && share >= LEAST.share ? [{ word, score: times * share ** 2 }] : []
    })
    const best = scored.sort((a, b) => b.score - a.score || (a.word < b.word ? -1 : 1)).slice(0, MOST_WORDS)
    return filled(`**${room}**: ${best.map(({ word }) => word).sort((a, b) => a.toLowerCase() < b.toLowerCase() ? -1 : 1).join(', ')}`)
  })
  return [
    HEADING,
    'Words of the code that stand in one room and hardly anywhere else (written by `npm run reference`).',
    ...rows
  ].join('\n\n') + '\n'
}

function filled (text: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line !== '' && line.length + word.length + 1 > WIDTH) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.join('\n')
}

/** The page with its last section made anew. */
export function withIndex (page: string, counts: WordCounts): string {
  const at = page.indexOf(`\n${HEADING}\n`)
  return `${(at < 0 ? page : page.slice(0, at)).trimEnd()}\n\n${indexSection(counts)}`
}

/** Words of each room as the page lists them. */
export function listedWords (page: string): Map<string, string[]> {
  const section = page.slice(page.indexOf(`\n${HEADING}\n`))
  return new Map([...section.matchAll(/^\*\*([a-z-]+)\*\*: ([^*]+?)\n\n|^\*\*([a-z-]+)\*\*: ([^*]+)$/gm)]
    .map(([, room, words, last, lastWords]) => [room ?? last!, (words ?? lastWords!).split(/[,\s]+/).filter((word) => word !== '')]))
}
