import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import GithubSlugger from 'github-slugger'
import { marked, type Token, type Tokens } from 'marked'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Paths below `folder`, from the root of the repository, that end like this. */
export function filesBelow (folder: string, ending: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name}`)
    .filter((name) => ending.test(name) && !name.includes('node_modules'))
    .sort()
}

/** What people read: the pages at the root, of docs and of the examples. */
export function documents (): string[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md')).sort()
  return [...top, ...filesBelow('docs', /\.md$/), ...filesBelow('examples', /\.md$/)]
}

function inside (token: Token): Token[] {
  if (token.type === 'list') return (token as Tokens.List).items
  if (token.type !== 'table') return 'tokens' in token ? token.tokens ?? [] : []
  const { header, rows } = token as Tokens.Table
  return [...header, ...rows.flat()].flatMap(({ tokens }) => tokens)
}

function withInside (token: Token): Token[] {
  return [token, ...inside(token).flatMap(withInside)]
}

function tokensOf (file: string): Token[] {
  return marked.lexer(readFileSync(join(ROOT, file), 'utf8')).flatMap(withInside)
}

function plain (token: Token): string {
  return 'tokens' in token && token.tokens != null ? token.tokens.map(plain).join('') : 'text' in token ? String(token.text) : ''
}

/** Where the links and pictures of a page lead. */
export function linksOf (file: string): string[] {
  return tokensOf(file).filter((token): token is Tokens.Link | Tokens.Image => token.type === 'link' || token.type === 'image')
    .map(({ href }) => href)
}

/** The anchors that GitHub gives to the headings of a page. */
export function anchorsOf (file: string): Set<string> {
  const slugger = new GithubSlugger()
  return new Set(tokensOf(file).filter(({ type }) => type === 'heading').map((token) => slugger.slug(plain(token))))
}

/** A line of a block of code, without the words beside it, or a piece of code in a sentence. */
export interface CommandLine {
  readonly file: string
  readonly line: string
  readonly fenced: boolean
}

// Two spaces and more part the words beside a line from it, unless a flag with its value comes after them.
const ASIDE = /\s{2,}(?!\s)(?!--[a-z][a-z-]*(=|\s+[^-\s])).*$/
const AS_USER = /^sudo -u \w+ /
const COMMAND = /^(consilium|docker|helm|kubectl|mocha|node|npm|npx|python3|sha256sum|tar|\.\/\S+\.sh)\s+\S/

/** The lines of a page that are for a terminal. */
export function linesOf (file: string): CommandLine[] {
  return tokensOf(file).flatMap((token): CommandLine[] => {
    if (token.type === 'codespan') return [{ file, line: (token as Tokens.Codespan).text, fenced: false }]
    if (token.type !== 'code') return []
    return (token as Tokens.Code).text.split('\n').map((text) => {
      const line = text.replace(ASIDE, '').trim().replace(AS_USER, '')
      return { file, line, fenced: true }
    })
  }).filter(({ line }) => COMMAND.test(line))
}
