import { defineEntity, p } from '@mikro-orm/core'

export const Author = defineEntity({
  name: 'Author',
  properties: {
    id: p.integer().primary(),
    name: p.string(),
    email: p.string().unique(),
    age: p.integer().nullable(),
    version: p.integer().version(),
    books: () => p.oneToMany(Book).mappedBy('author').orphanRemoval(),
  },
})

export const Book = defineEntity({
  name: 'Book',
  properties: {
    id: p.integer().primary(),
    title: p.string(),
    author: () => p.manyToOne(Author).deleteRule('cascade'),
    tags: () => p.manyToMany(Tag).pivotEntity(() => BookTag),
  },
})

export const Tag = defineEntity({
  name: 'Tag',
  properties: {
    name: p.string().primary(),
    books: () => p.manyToMany(Book).mappedBy('tags'),
  },
})

/**
 * Without an entity of its own, a pivot table gets another internal number in every ORM of the
 * isolate, and the compiled functions, which go by that number, are not found for it.
 */
export const BookTag = defineEntity({
  name: 'BookTag',
  properties: {
    book: () => p.manyToOne(Book).primary(),
    tag: () => p.manyToOne(Tag).primary(),
  },
})

export const Sample = defineEntity({
  name: 'Sample',
  properties: {
    id: p.uuid().primary(),
    big: p.bigint(),
    at: p.datetime(),
    day: p.date(),
    flag: p.boolean(),
    data: p.json<{ readonly list: readonly number[]; readonly text: string }>(),
    bytes: p.blob(),
    raw: p.uint8array(),
    kind: p.enum(['small', 'large']),
    price: p.decimal(),
    ratio: p.double(),
    note: p.text().nullable(),
  },
})

export const entities = [Author, Book, Tag, BookTag, Sample]

const OldAuthor = defineEntity({
  name: 'OldAuthor',
  tableName: 'author',
  properties: {
    id: p.integer().primary(),
    name: p.string().unique(),
    note: p.string().nullable(),
  },
})

const OldBook = defineEntity({
  name: 'OldBook',
  tableName: 'book',
  properties: {
    id: p.integer().primary(),
    author: () => p.manyToOne(OldAuthor).deleteRule('cascade'),
  },
})

/** Tables in which an author may have a note. */
export const oldEntities = [OldAuthor, OldBook]

const NewAuthor = defineEntity({
  name: 'NewAuthor',
  tableName: 'author',
  properties: {
    id: p.integer().primary(),
    name: p.string().unique(),
    note: p.string(),
  },
})

const NewBook = defineEntity({
  name: 'NewBook',
  tableName: 'book',
  properties: {
    id: p.integer().primary(),
    author: () => p.manyToOne(NewAuthor).deleteRule('cascade'),
  },
})

/** The same tables, in which an author must have a note: `author` has to be rebuilt. */
export const newEntities = [NewAuthor, NewBook]

const Student = defineEntity({
  name: 'Student',
  properties: { id: p.integer().primary(), courses: () => p.manyToMany(Course) },
})

const Course = defineEntity({
  name: 'Course',
  properties: { id: p.integer().primary() },
})

/** A many-to-many relation that has no entity for its pivot table. */
export const entitiesWithoutPivotEntity = [Student, Course]

/** All that it has is its key, which SQLite supplies. */
export const Ticket = defineEntity({
  name: 'Ticket',
  properties: { id: p.integer().primary() },
})
