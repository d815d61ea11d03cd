-- Consent is read in lower case: a purpose with a capital letter would find no decision, and so no denial.
select
    destination,
    consent_purpose
from {{ ref('destinations') }}
where consent_purpose <> lower(trim(consent_purpose))
