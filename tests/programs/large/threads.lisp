;; SPDX-License-Identifier: GPL-2.0-only
;; Steel Bank Common Lisp: its collector stops all threads by signals and learns by faults what they write.
(defvar *lock* (sb-thread:make-mutex))
(defvar *total* 0)

(defun work (n)
  (let ((kept nil) (sum 0))
    (dotimes (i 100000)
      (push (cons i n) kept)
      (when (= 0 (mod i 100))
        (incf sum (reduce #'+ kept :key #'car))
        (setf kept nil)))
    (sb-ext:gc)
    (sb-thread:with-mutex (*lock*) (incf *total* sum))
    (mod (* n sum) 9973)))

(print (mapcar #'sb-thread:join-thread
               (loop for n from 1 to 3
                     collect (let ((n n)) (sb-thread:make-thread (lambda () (work n)))))))
(print *total*)
(print (handler-case (/ 1 (- *total* *total*)) (division-by-zero () 'divided)))
(terpri)
