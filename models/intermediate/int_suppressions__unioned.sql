with

requested as (

    select * from {{ ref('int_suppressions__hashed') }}

),

kept as (

    select * from {{ ref('stg_kept__suppressions') }}

),

every as (

    select
        kind,
        suppression_sha256,
        requested_at,
        case when is_asked then 1 else 0 end as asked
    from requested
    where suppression_sha256 is not null
    union all
    select
        kind,
        suppression_sha256,
        requested_at,
        0 as asked
    from kept

),

suppressions_unioned as (

    select
        kind,
        suppression_sha256,
        min(requested_at) as requested_at,
        max(asked) = 1 as is_asked
    from every
    group by kind, suppression_sha256

)

select * from suppressions_unioned
