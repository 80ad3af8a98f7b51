import { describe, expect, it } from 'vitest'

import { choosable, chosen, condition, conditions, CONFLICTS, draftOf, fresh, known, lasting, moved, ruleOf, same, tally, textOf, typed, valueOf } from '../src/lib/rules.ts'
import type { RuleField, RuleValues } from '../src/lib/types.ts'

const RULE: RuleValues = { name: 'Travel', when: { group: ['Beach*', 'Harbour'], rating: 4 }, to: '~/Travel/{taken:%Y}/', action: 'move', conflict: 'number', same: 'conflict', auto: true, confidence: 0.9, then: 'stop' }

function field(name: string, type: string): RuleField {
  return { name, type, examples: [], words: name, template: true }
}

const FIELDS = [field('group', 'text'), field('rating', 'number'), field('quality.METRIC', 'number')]

describe('a value', () => {
  it('has a line for each that may hold', () => {
    expect(textOf('a, b')).toBe('a, b')
    expect(textOf(['a', 2, true])).toBe('a\n2\ntrue')
  })

  it('is a number where it is one and the field is too', () => {
    expect(valueOf('5', true)).toBe(5)
    expect(valueOf('5', false)).toBe('5')
    expect(valueOf('>= 3', true)).toBe('>= 3')
    expect(valueOf(' 1 \n\n none ', true)).toEqual([1, 'none'])
    expect(valueOf(' ', true)).toEqual([])
  })
})

describe('a rule', () => {
  it('comes back from editing as it was', () => {
    expect(ruleOf(draftOf(RULE), FIELDS)).toEqual(RULE)
    expect(same([ruleOf(draftOf(RULE), FIELDS)], [RULE])).toBe(true)
  })

  it('says the same with a value alone or in a list', () => {
    expect(same([{ ...RULE, when: { group: 'a' } }], [{ ...RULE, when: { group: ['a'] } }])).toBe(true)
    expect(same([{ ...RULE, when: { group: 'a' } }], [{ ...RULE, when: { group: 'b' } }])).toBe(false)
    expect(same([RULE], [])).toBe(false)
    expect(same([RULE, { ...RULE, name: 'b' }], [{ ...RULE, name: 'b' }, RULE])).toBe(false)
  })

  it('has no destination when it leaves, and goes on only where the file stays', () => {
    const draft = { ...draftOf(RULE), then: 'continue' as const }
    expect(ruleOf({ ...draft, action: 'leave' }, FIELDS)).toMatchObject({ to: '', then: 'stop' })
    expect(ruleOf(draft, FIELDS).then).toBe('stop')
    expect(ruleOf({ ...draft, action: 'copy' }, FIELDS).then).toBe('continue')
    expect(lasting('symlink')).toBe(true)
  })

  it('reads metrics as numbers', () => {
    const draft = { ...draftOf(RULE), when: [condition('quality.niqe', '80')] }
    expect(ruleOf(draft, FIELDS).when).toEqual({ 'quality.niqe': 80 })
  })

  it('is told in a line', () => {
    expect(conditions(RULE)).toBe('When group Beach* or Harbour, rating 4')
    expect(conditions({ when: {} })).toBe('Every photo')
  })

  it('begins with a name of its own', () => {
    expect(fresh(['Rule 1', 'Rule 3']).name).toBe('Rule 2')
  })
})

describe('what rules are made of', () => {
  it('has a field for each metric', () => {
    expect(choosable(FIELDS, ['niqe', 'piqe']).map(({ name }) => name)).toEqual(['group', 'rating', 'quality.niqe', 'quality.piqe'])
    expect(known(FIELDS, 'quality.piqe')?.name).toBe('quality.METRIC')
    expect(known(FIELDS, 'nothing')).toBeUndefined()
  })

  it('has examples as they are typed', () => {
    expect(typed('">= 80"')).toBe('>= 80')
    expect(typed('["heic", "heif"]')).toBe('heic\nheif')
    expect(typed('5')).toBe('5')
    expect(typed('last 30d')).toBe('last 30d')
  })

  it('has choices in words', () => {
    expect(chosen(CONFLICTS, 'skip').name).toBe('Leave the new file')
  })
})

it('moves a rule to another place', () => {
  expect(moved(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b'])
  expect(moved(['a', 'b', 'c'], 0, 1)).toEqual(['b', 'a', 'c'])
})

it('counts what each rule takes of a preview', () => {
  expect(tally([{ name: 'a' }, { name: 'b' }], [{ rule: 'a' }, { rule: '' }, { rule: 'a' }])).toEqual(new Map([['a', 2], ['b', 0]]))
})
