-- Counts the requests to be forgotten that nobody can carry out: an unknown word, or a value that is no such
-- id. It names nobody, because the rows of a test may be stored.
select
    kind,
    count(*) as row_count
from {{ ref('int_suppressions__hashed') }}
where suppression_sha256 is null
group by kind
