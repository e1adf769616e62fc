import { defineEntity, p } from '@mikro-orm/core'

export const Author = defineEntity({
  name: 'Author',
  properties: {
    id: p.integer().primary(),
    name: p.string(),
    email: p.string().unique(),
    books: () => p.oneToMany(Book).mappedBy('author').orphanRemoval(),
  },
})

export const Book = defineEntity({
  name: 'Book',
  properties: {
    id: p.integer().primary(),
    title: p.string(),
    version: p.integer().version(),
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

/** The README says why the pivot table needs an entity. */
export const BookTag = defineEntity({
  name: 'BookTag',
  properties: {
    book: () => p.manyToOne(Book).primary().deleteRule('cascade'),
    tag: () => p.manyToOne(Tag).primary(),
  },
})
