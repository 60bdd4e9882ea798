-- Cases found by words, names and addresses, of which the table holds only keyed hashes: nobody reads them back.

create table casefile.search_terms (
    reference text     primary key references casefile.cases,
    terms     bigint[] not null
);
comment on table casefile.search_terms is 'What a case is found by: keyed hashes of words of the complaint and replies, of name, account, address and telephone number. Derived; goes when the case is erased.';
create index search_terms_by_term on casefile.search_terms using gin (terms) with (fastupdate = off);
