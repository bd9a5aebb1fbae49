//! Headers that look like the one a policy asks for.

use super::{check, get_with, start, table};

const P: &str = "200";
const D: &str = "403 deny[0]";
const N: &str = "403 none";
const B: &str = "400";

#[test]
fn each_line_counts_and_nothing_that_only_looks_like_it() {
    let guards = start(&[
        ("deny", "", &[("deny", "DENY", "[{when: [{key: 'request.headers[X-Role]', values: [admin]}]}]")]),
        ("begins", "", &[("deny", "DENY", "[{when: [{key: 'request.headers[x-role]', values: ['adm*']}]}]")]),
        (
            "unless",
            "",
            &[("deny", "DENY", "[{when: [{key: 'request.headers[x-role]', notValues: [user]}]}]")],
        ),
        ("allow", "", &[("allow", "ALLOW", "[{when: [{key: 'request.headers[x-role]', values: [admin]}]}]")]),
    ]);
    // Columns: refused if it is `admin`, if it begins with `adm`, unless it is `user`; allowed if it is `admin`.
    let rows = [
        (&b"x-role: admin"[..], [D, D, D, P]),
        (b"X-ROLE: admin", [D, D, D, P]),
        (b"x-role:admin", [D, D, D, P]),
        (b"x-role: \t admin \t ", [D, D, D, P]),
        (b"x-role: Admin", [P, P, D, N]),
        (b"x-role: user", [P, P, P, N]),
        (b"x-none: 1", [P, P, D, N]),
        (b"x-role:", [P, P, D, N]),
        // Lines are not joined.
        (b"x-role: user\r\nx-role: admin", [D, D, P, P]),
        (b"x-role: admin\r\nx-role: user", [D, D, P, P]),
        (b"x-role: user\r\nX-Role: admin", [D, D, P, P]),
        (b"x-role: admin,user", [P, D, D, N]),
        (b"x-role: user, admin", [P, P, D, N]),
        // Another name.
        (b"x_role: admin", [P, P, D, N]),
        (b"x-role-: admin", [P, P, D, N]),
        (b"x-role\xc2\xad: admin", [B, B, B, B]),
        // Not as HTTP has it.
        (b"x-role : admin", [B, B, B, B]),
        // Goes on with the line before.
        (b" x-role: admin", [P, P, D, N]),
        (b"x-role: admin\0", [B, B, B, B]),
        (b"x-role: adm\0in", [B, B, B, B]),
        (b"x-role: user\n x-role: admin", [P, P, D, N]),
        (b"x-role: user\r\n admin", [P, P, D, N]),
        (b"x-role: admin\xff", [P, D, D, N]),
        (b"x-role: \xffadmin", [P, P, D, N]),
    ];
    let rows = rows.map(|(lines, expected)| (get_with(lines), expected));
    check(&guards, table(["deny", "begins", "unless", "allow"], rows));
}
