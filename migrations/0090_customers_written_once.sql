-- Of a customer the register has several rows of one name, of which the newest counts: whoever writes to the record
-- could write what is sealed in an older one again as the newest, and letters would go to where somebody lived once.
-- What is sealed is sealed anew whenever it is written, and so is never the same: the same is a copy.
create unique index customers_name_once on casefile.customers (account, hashtextextended(name, 0))
    where starts_with(name, 'sealed:');
create unique index customers_email_once on casefile.customers (account, hashtextextended(email, 0))
    where starts_with(email, 'sealed:');
create unique index customers_phone_once on casefile.customers (account, hashtextextended(phone, 0))
    where starts_with(phone, 'sealed:');
