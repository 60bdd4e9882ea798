comment on column web.api_keys.digest is 'Keyed hash of the key and of what it may do, until when; the key itself is kept nowhere.';
comment on column web.sessions.person is 'Who is signed in and until when, with what proves that the pages wrote it, for this row. Personal data.';
comment on column web.codes.address is 'Whom the code was sent to, with what proves that the pages wrote it, for this row. Personal data.';
