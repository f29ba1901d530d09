//! Which file an exec led to, for whom, and what became of it.

use super::*;

/// A 32-bit program that executes `/bin/true narrow`, and ends with 3 where it can't.
fn narrow_program() -> Vec<u8> {
    const BASE: u32 = 0x0804_8000;
    const CODE: u32 = BASE + 52 + 32;
    const DATA: u32 = CODE + 31;
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_le_bytes()).collect() };
    let (path, name, argv) = (DATA, DATA + 10, DATA + 17);
    let move_to = |opcode: u8, value: u32| [&[opcode][..], &value.to_le_bytes()].concat();
    let code = [
        move_to(0xb8, 11), // mov eax, execve
        move_to(0xbb, path),
        move_to(0xb9, argv),
        vec![0x31, 0xd2, 0xcd, 0x80], // xor edx, edx; int 0x80
        move_to(0xb8, 1),             // mov eax, exit
        move_to(0xbb, 3),
        vec![0xcd, 0x80],
    ]
    .concat();
    let data = [b"/bin/true\0narrow\0".to_vec(), words(&[path, name, 0])].concat();
    let size = 52 + 32 + (code.len() + data.len()) as u32;
    // elf(5): an executable for i386 with one segment.
    let header = [
        b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(),
        words(&[2 | 3 << 16, 1, CODE, 52, 0, 0, 52 | 32 << 16, 1, 0]),
    ]
    .concat();
    let segment = words(&[1, 0, BASE, BASE, size, size, 5, 4096]);
    [header, segment, code, data].concat()
}

/// The exec of a session with this path.
#[track_caller]
fn exec(machine: &Machine, id: &str, path: &str) -> Entry {
    machine.event("exec", &[("ELEVATE_REQUEST", id), ("ELEVATE_PATH", path)])
}

#[test]
fn an_exec_is_on_record_with_its_file_its_parent_and_its_user() {
    let machine = MACHINE.get();
    let res = member(&machine, "res", "operator");
    machine
        .run(&["ln", "-s", "/bin/echo", "/usr/local/bin/says"])
        .success();
    let id = session(&res, "elevate -u nobody sh -c 'cd /var/tmp; says it; :'");
    let shell = exec(&machine, &id, "/usr/bin/sh");
    let says = exec(&machine, &id, "/usr/local/bin/says");
    let real = machine.run(&["readlink", "-f", "/bin/echo"]).text();
    let parent = shell.get("ELEVATE_PID").unwrap();
    assert_fields(
        &says,
        &[
            ("ELEVATE_REAL_PATH", &real),
            ("ELEVATE_PPID", &parent),
            ("ELEVATE_EXEC_UID", "65534"),
            ("ELEVATE_EXEC_NUMBER", "2"),
            ("ELEVATE_EXEC_ABI", "native"),
            ("ELEVATE_OUTCOME", "logged"),
        ],
    );
}

#[test]
fn an_exec_that_failed_is_on_record_as_such() {
    let machine = MACHINE.get();
    let fay = member(&machine, "fay", "operator");
    let id = session(&fay, "elevate env PATH=/none:/usr/bin /usr/bin/env true");
    let request = ("ELEVATE_REQUEST", id.as_str());
    let tried = exec(&machine, &id, "/none/true")
        .get("ELEVATE_EXEC_NUMBER")
        .unwrap();
    let failed = machine.event("exec-failed", &[request]);
    assert_fields(&failed, &[("ELEVATE_EXEC_NUMBER", &tried)]);
    let all = machine.events(&[request, ("ELEVATE_EVENT", "exec-failed")]);
    assert_eq!(all.len(), 1, "what went on is not told as failed: {all:#?}");
}

#[test]
fn a_32_bit_program_executes_nothing_unseen() {
    let machine = MACHINE.get();
    let nat = member(&machine, "nat", "operator");
    machine.write("/usr/local/bin/narrow", narrow_program(), 0o755);
    let id = session(&nat, "elevate narrow");
    assert_fields(
        &exec(&machine, &id, "/usr/local/bin/narrow"),
        &[("ELEVATE_EXEC_ABI", "native")],
    );
    assert_fields(
        &exec(&machine, &id, "/bin/true"),
        &[
            ("ELEVATE_EXEC_ABI", "compat"),
            ("ELEVATE_ARGV", "/bin/true narrow"),
        ],
    );
}

#[test]
fn where_a_rule_lets_one_exec_pass_the_next_fails_and_is_on_record() {
    let machine = MACHINE.get();
    let sid = member(&machine, "sid", "single");
    let tried = sid
        .run("elevate sh -c '/bin/echo unsaid; echo $?'")
        .success();
    assert_eq!(tried.text(), "126");
    let id = ended(&sid);
    assert_fields(
        &exec(&machine, &id, "/bin/echo"),
        &[("ELEVATE_OUTCOME", "denied")],
    );
}
