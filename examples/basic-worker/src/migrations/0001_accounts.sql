create table account (
  id integer primary key,
  owner text not null unique,
  balance integer not null
);

create table entry (
  id integer primary key,
  account_id integer not null references account (id),
  amount integer not null,
  text text not null
);

create index entry_account_id on entry (account_id);
