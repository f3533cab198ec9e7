# SPDX-License-Identifier: Apache-2.0
# The guest of agent.py: opens the first port of its virtio console, as a guest agent does, and passes each byte on
# between that port and the first serial port. A disk's first sector; made with
#   as agent.s -o agent.o && objcopy -O binary -j .text agent.o /dev/stdout | xxd -p -c 50
#
# 0x8000 what the port said      0x9000 the byte for it     0x9010 the message that opens it
# 0x9100 three queues (to control 3, from the port 4, to the port 5), each: segment, place of what is given, place of
#        what is used, size less one; and 0x80 above that its number
.code16
.globl _start
_start:
 xor %ax,%ax
 mov %ax,%ds
 mov %ax,%ss
 mov $0x7c00,%sp
 cld
 # The console on the PCI bus: its ports are to be its own, and it may write to memory.
 mov $0xb102,%ax
 mov $0x1003,%cx
 mov $0x1af4,%dx
 xor %si,%si
 int $0x1a
 mov $4,%di
 mov $0xb109,%ax
 int $0x1a
 or $7,%cx
 mov $0xb10c,%ax
 int $0x1a
 mov $0x10,%di
 mov $0xb109,%ax
 int $0x1a
 and $0xfffc,%cx
 mov %cx,%bp
 cli
 # Here is a driver, which knows several ports.
 lea 0x12(%bp),%dx
 mov $1,%al
 out %al,%dx
 mov $3,%al
 out %al,%dx
 lea 4(%bp),%dx
 mov $2,%eax
 out %eax,%dx
 mov $0x9100,%si
 mov $3,%ax
 mov $0x1000,%cx
 call queue
 mov $4,%ax
 mov $0x1800,%cx
 call queue
 mov $5,%ax
 mov $0x2000,%cx
 call queue
 lea 0x12(%bp),%dx
 mov $7,%al
 out %al,%dx
 # One buffer for each queue, always the first: the lists that name it are zero.
 mov $0x1000,%ax
 mov %ax,%fs
 movw $0x9010,%fs:0
 movb $8,%fs:8
 movl $1,0x9010
 movl $0x10006,0x9014
 mov $0x1800,%ax
 mov %ax,%fs
 movw $0x8000,%fs:0
 movw $0x1000,%fs:8
 movb $2,%fs:12
 mov $0x2000,%ax
 mov %ax,%fs
 movw $0x9000,%fs:0
 movb $1,%fs:8
 mov $0x3f9,%dx
 xor %ax,%ax
 out %al,%dx
 inc %dx
 inc %ax
 out %al,%dx
 mov $0x9108,%si
 call give
 mov $0x9100,%si
 call give
main:
 mov $0x9108,%si
 call done
 jne port
 dec %ax
 and 6(%si),%ax
 shl $3,%ax
 add %ax,%di
 mov %fs:8(%di),%cx
 mov $0x8000,%si
say:
 mov $0x3fd,%dx
full:
 in %dx,%al
 test $0x20,%al
 jz full
 lodsb
 mov $0x3f8,%dx
 out %al,%dx
 loop say
 mov $0x9108,%si
 call give
port:
 mov $0x3fd,%dx
 in %dx,%al
 test $1,%al
 jz main
 mov $0x3f8,%dx
 in %dx,%al
 mov %al,0x9000
 mov $0x9110,%si
 call give
sent:
 call done
 jne sent
 jmp main
# Queue %ax in segment %cx, noted at %si.
queue:
 mov %cx,%es
 mov %cx,(%si)
 push %ax
 lea 0xe(%bp),%dx
 out %ax,%dx
 xor %di,%di
 xor %ax,%ax
 mov $0x4000,%cx
 rep stosw
 lea 0xc(%bp),%dx
 in %dx,%ax
 mov %ax,%cx
 dec %ax
 mov %ax,6(%si)
 mov %cx,%ax
 shl $4,%ax
 mov %ax,2(%si)
 add %cx,%ax
 add %cx,%ax
 add $0x1005,%ax
 and $0xf000,%ax
 mov %ax,4(%si)
 movzwl (%si),%eax
 shr $8,%ax
 lea 8(%bp),%dx
 out %eax,%dx
 pop %ax
 mov %ax,0x80(%si)
 add $8,%si
 ret
# Gives the buffer of the queue at %si to the device.
give:
 mov (%si),%fs
 mov 2(%si),%bx
 incw %fs:2(%bx)
 mov 0x80(%si),%ax
 lea 0x10(%bp),%dx
 out %ax,%dx
 ret
# Equal if the device has used what it was given.
done:
 mov (%si),%fs
 mov 2(%si),%bx
 mov 4(%si),%di
 mov %fs:2(%di),%ax
 cmp %fs:2(%bx),%ax
 ret
