-- Guards: two letters name a region only together with its country.
select
    country_code,
    region_code,
    field
from {{ ref('field_policy') }}
where region_code is not null and country_code is null
